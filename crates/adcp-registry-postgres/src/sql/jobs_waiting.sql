WITH RECURSIVE queues (kind, tenant) AS (
    SELECT kinds.kind, (
        SELECT first.tenant FROM {schema}.tasks AS first
        WHERE first.job_kind = kinds.kind AND first.job_at IS NOT NULL AND first.ended_at IS NULL
        ORDER BY first.tenant
        LIMIT 1
    )
    FROM (SELECT DISTINCT unnest(:kinds::text[]) COLLATE "C" AS kind) AS kinds
    UNION ALL
    SELECT queues.kind, (
        SELECT next.tenant FROM {schema}.tasks AS next
        WHERE next.job_kind = queues.kind AND next.tenant > queues.tenant AND next.job_at IS NOT NULL AND next.ended_at IS NULL
        ORDER BY next.tenant
        LIMIT 1
    )
    FROM queues
    WHERE queues.tenant IS NOT NULL
),
served (kind, tenant, served_at) AS MATERIALIZED (
    SELECT queues.kind, queues.tenant, (
        SELECT claimed.job_claimed_at FROM {schema}.tasks AS claimed
        WHERE claimed.tenant = queues.tenant AND claimed.job_claimed_at IS NOT NULL
        ORDER BY claimed.job_claimed_at DESC
        LIMIT 1
    )
    FROM queues
    WHERE queues.tenant IS NOT NULL
)
SELECT served.tenant, job.id, job.job_at, served.served_at
FROM served
CROSS JOIN LATERAL (
    SELECT waiting.id, waiting.job_at FROM {schema}.tasks AS waiting
    WHERE waiting.job_kind = served.kind AND waiting.tenant = served.tenant AND waiting.job_at <= :now
        AND waiting.ended_at IS NULL AND (waiting.deadline IS NULL OR waiting.deadline > :now)
    ORDER BY waiting.job_at, waiting.id
    LIMIT :limit
) AS job
