SELECT tenant FROM events INDEXED BY events_due
WHERE due_at IS NOT NULL AND tenant > :after
ORDER BY tenant
LIMIT 1
