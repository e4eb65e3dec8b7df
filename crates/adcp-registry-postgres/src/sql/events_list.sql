SELECT * FROM {schema}.events
WHERE tenant = :tenant
    AND (:principal IS NULL OR principal = :principal)
    AND (:account IS NULL OR account = :account)
    AND (:task IS NULL OR task = :task)
ORDER BY queued_at, key
LIMIT :limit
