SELECT count(*) FROM (
    SELECT 1 FROM events INDEXED BY events_claimed
    WHERE state = 'sending' AND tenant = :tenant AND endpoint = :endpoint AND due_at > :now
    LIMIT :most
)
