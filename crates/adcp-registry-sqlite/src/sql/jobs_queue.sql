SELECT tenant, (
    SELECT job_claimed_at FROM tasks AS served
    WHERE served.tenant = waiting.tenant AND job_claimed_at IS NOT NULL
    ORDER BY job_claimed_at DESC
    LIMIT 1
) AS served_at
FROM tasks AS waiting
WHERE job_kind = :kind AND tenant >= :from AND job_at IS NOT NULL AND ended_at IS NULL
ORDER BY tenant
LIMIT 1
