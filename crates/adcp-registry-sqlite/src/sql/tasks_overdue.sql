SELECT * FROM tasks
WHERE due_at IS NOT NULL AND due_at <= :now AND (:tenant IS NULL OR tenant = :tenant)
ORDER BY due_at
