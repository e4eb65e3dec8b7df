SELECT count(*) FROM (
    SELECT 1 FROM events INDEXED BY events_due
    WHERE due_at IS NOT NULL AND tenant = :tenant AND endpoint = :endpoint AND due_at <= :now
    LIMIT :most
)
