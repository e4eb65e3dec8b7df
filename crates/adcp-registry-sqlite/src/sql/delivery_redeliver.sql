UPDATE events SET
    state = :state, reason = NULL, due_at = :due_at, since = :due_at, settled_at = NULL, token = NULL,
    attempts_before = :attempts_before, redeliveries = :redeliveries
WHERE tenant = :tenant AND key = :key
