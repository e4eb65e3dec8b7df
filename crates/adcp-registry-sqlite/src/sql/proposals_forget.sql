DELETE FROM proposals
WHERE (tenant, holder, id) IN (
    SELECT tenant, holder, id FROM proposals WHERE forget_at <= :now ORDER BY forget_at LIMIT :limit
)
