DELETE FROM calls
WHERE (tenant, account, principal, session, key) IN (
    SELECT tenant, account, principal, session, key FROM calls
    WHERE state NOT IN ('running', 'fenced') AND forget_at <= :horizon
    ORDER BY forget_at
    LIMIT :limit
)
