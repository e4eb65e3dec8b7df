SELECT * FROM {schema}.proposals
WHERE tenant = :tenant AND buyer_account = :account AND media_buy_id = :media_buy_id
    AND forget_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :offset
    AND (:account <> '' OR buyer_principal = :principal)
ORDER BY updated_at DESC
LIMIT 1
