UPDATE {schema}.calls SET state = :state, reply = :reply
WHERE tenant = :tenant AND account = :account AND principal = :principal AND session = :session AND key = :key
    AND token = :token AND state = 'running'
