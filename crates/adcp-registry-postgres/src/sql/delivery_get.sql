SELECT * FROM {schema}.events
WHERE tenant = :tenant AND key = :key
    AND (:principal IS NULL OR principal = :principal)
    AND (:account IS NULL OR account = :account)
