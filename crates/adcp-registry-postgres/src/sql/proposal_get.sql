SELECT * FROM {schema}.proposals
WHERE tenant = :tenant AND holder = :holder AND id = :id
    AND forget_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :offset
