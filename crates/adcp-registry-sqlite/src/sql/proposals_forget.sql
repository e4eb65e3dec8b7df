DELETE FROM proposals
WHERE (tenant, holder, id) IN (
    SELECT tenant, holder, id FROM proposals WHERE forget_at <= :horizon ORDER BY forget_at LIMIT :limit
)
