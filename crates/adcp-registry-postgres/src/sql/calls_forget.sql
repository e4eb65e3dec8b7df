DELETE FROM {schema}.calls
WHERE (tenant, account, principal, session, key) IN (
    SELECT tenant, account, principal, session, key FROM {schema}.calls
    WHERE state NOT IN ('running', 'fenced') AND forget_at <= :horizon
    ORDER BY forget_at
    LIMIT :limit
    FOR UPDATE {skip locked}
)
