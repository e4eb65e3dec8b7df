DELETE FROM calls
WHERE (tenant, account, principal, session, key) IN (
    SELECT tenant, account, principal, session, key FROM calls WHERE forget_at <= :now ORDER BY forget_at LIMIT :limit
)
