SELECT hash, token, state, reply, expires_at FROM {schema}.calls
WHERE tenant = :tenant AND account = :account AND principal = :principal AND session = :session AND key = :key
