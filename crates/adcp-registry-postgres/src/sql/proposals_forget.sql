DELETE FROM {schema}.proposals
WHERE (tenant, holder, id) IN (
    SELECT tenant, holder, id FROM {schema}.proposals
    WHERE forget_at <= :horizon
    ORDER BY forget_at
    LIMIT :limit
    FOR UPDATE {skip locked}
)
