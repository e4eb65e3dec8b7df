SELECT endpoint, due_at FROM events INDEXED BY events_due
WHERE due_at IS NOT NULL AND tenant = :tenant AND endpoint > :after
ORDER BY endpoint, due_at
LIMIT 1
