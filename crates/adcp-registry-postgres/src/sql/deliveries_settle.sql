UPDATE {schema}.events AS event SET
    state = done.state, reason = done.reason, due_at = done.due_at, settled_at = done.settled_at,
    attempts = done.attempts
FROM unnest(
    :tenants::text[], :keys::text[], :states::text[], :reasons::text[], :due::bigint[], :settled::bigint[],
    :attempts::bigint[]
) AS done (tenant, key, state, reason, due_at, settled_at, attempts)
WHERE event.tenant = done.tenant AND event.key = done.key
