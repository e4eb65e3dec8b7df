DELETE FROM tasks
WHERE (tenant, id) IN (
    SELECT tenant, id FROM tasks WHERE ended_at IS NOT NULL AND ended_at <= :horizon ORDER BY ended_at LIMIT :limit
)
