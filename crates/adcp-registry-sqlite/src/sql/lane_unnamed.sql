SELECT number, url FROM events INDEXED BY events_due
WHERE due_at IS NOT NULL AND tenant = :tenant AND endpoint = ''
LIMIT 500
