DELETE FROM {schema}.events
WHERE (tenant, key) IN (
    SELECT tenant, key FROM {schema}.events
    WHERE settled_at IS NOT NULL AND body = '' AND state = :state AND settled_at <= :horizon
    ORDER BY settled_at
    LIMIT :limit
    FOR UPDATE {skip locked}
)
RETURNING tenant, key
