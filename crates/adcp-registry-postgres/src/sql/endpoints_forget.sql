DELETE FROM {schema}.endpoints
WHERE (tenant, endpoint) IN (
    SELECT tenant, endpoint FROM {schema}.endpoints AS idle
    WHERE changed_at <= :horizon AND NOT EXISTS (
        SELECT 1 FROM {schema}.events AS event
        WHERE event.tenant = idle.tenant AND event.endpoint = idle.endpoint AND event.due_at IS NOT NULL
    )
    LIMIT :limit
    FOR UPDATE {skip locked}
)
