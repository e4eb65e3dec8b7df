DELETE FROM {schema}.calls
WHERE tenant = :tenant AND account = :account AND principal = :principal AND session = :session AND key = :key
    AND state IN ('running', 'fenced')
