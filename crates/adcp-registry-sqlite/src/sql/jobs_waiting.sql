SELECT id, job_at FROM tasks
WHERE job_kind = :kind AND tenant = :tenant AND job_at <= :now AND job_at IS NOT NULL AND ended_at IS NULL
    AND (deadline IS NULL OR deadline > :now)
ORDER BY job_at, id
LIMIT :limit
