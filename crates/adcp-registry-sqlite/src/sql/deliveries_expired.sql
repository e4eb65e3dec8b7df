SELECT number FROM events INDEXED BY events_by_age
WHERE due_at IS NOT NULL AND coalesce(since, queued_at) <= :horizon
    AND (:tenants IS NULL OR tenant IN (SELECT value FROM json_each(:tenants)))
    AND NOT (state = 'sending' AND due_at > :now)
ORDER BY coalesce(since, queued_at)
LIMIT :limit
