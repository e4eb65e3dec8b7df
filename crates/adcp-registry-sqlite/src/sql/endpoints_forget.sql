DELETE FROM endpoints
WHERE (tenant, endpoint) IN (
    SELECT tenant, endpoint FROM endpoints AS idle
    WHERE changed_at <= :horizon AND NOT EXISTS (
        SELECT 1 FROM events
        WHERE events.tenant = idle.tenant AND events.endpoint = idle.endpoint AND events.due_at IS NOT NULL
    )
    LIMIT :limit
)
