SELECT event.tenant, event.key, event.token, event.endpoint, event.attempts, event.state, event.due_at,
    breaker.state AS breaker, breaker.failures, breaker.openings, breaker.until, breaker.probe, breaker.changed_at,
    breaker.last
FROM unnest(:tenants::text[], :keys::text[], :tokens::bytea[]) AS hold (tenant, key, token)
JOIN {schema}.events AS event
    ON event.tenant = hold.tenant AND event.key = hold.key AND event.token = hold.token
LEFT JOIN {schema}.endpoints AS breaker
    ON breaker.tenant = event.tenant AND breaker.endpoint = event.endpoint
ORDER BY event.tenant, event.key
FOR UPDATE OF event
