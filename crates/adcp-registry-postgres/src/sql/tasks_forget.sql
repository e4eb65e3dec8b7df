DELETE FROM {schema}.tasks
WHERE (tenant, id) IN (
    SELECT tenant, id FROM {schema}.tasks
    WHERE ended_at IS NOT NULL AND ended_at <= :horizon
    ORDER BY ended_at
    LIMIT :limit
    FOR UPDATE {skip locked}
)
RETURNING tenant, id
