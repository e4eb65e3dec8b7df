SELECT * FROM tasks
WHERE tenant = :tenant AND deadline IS NOT NULL AND deadline <= :now AND outcome IS NULL
ORDER BY deadline
LIMIT :limit
