UPDATE events SET
    state = :state, reason = :reason, due_at = :due_at, settled_at = :settled_at, attempts = attempts - :uncounted,
    token = NULL
WHERE number = :number
