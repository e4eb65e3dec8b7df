UPDATE {schema}.events AS event SET
    state = :state, reason = NULL, due_at = :now, since = :now, settled_at = NULL, token = NULL,
    attempts_before = event.attempts, redeliveries = again.redeliveries
FROM unnest(:keys::text[], :redeliveries::text[]) AS again (key, redeliveries)
WHERE event.tenant = :tenant AND event.key = again.key
