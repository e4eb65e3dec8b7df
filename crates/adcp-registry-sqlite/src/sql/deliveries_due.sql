SELECT * FROM events INDEXED BY events_due
WHERE due_at IS NOT NULL AND tenant = :tenant AND endpoint = :endpoint AND due_at <= :now
ORDER BY due_at
LIMIT :rows
