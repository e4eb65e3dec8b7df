WITH RECURSIVE ahead (tenant) AS (
    SELECT (
        SELECT first.tenant FROM {schema}.events AS first
        WHERE first.due_at IS NOT NULL AND first.tenant > :after
        ORDER BY first.tenant
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT next.tenant FROM {schema}.events AS next
        WHERE next.due_at IS NOT NULL AND next.tenant > ahead.tenant
        ORDER BY next.tenant
        LIMIT 1
    )
    FROM ahead
    WHERE ahead.tenant IS NOT NULL
), behind (tenant) AS (
    SELECT (
        SELECT first.tenant FROM {schema}.events AS first
        WHERE first.due_at IS NOT NULL AND first.tenant <= :after
        ORDER BY first.tenant
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT next.tenant FROM {schema}.events AS next
        WHERE next.due_at IS NOT NULL AND next.tenant > behind.tenant AND next.tenant <= :after
        ORDER BY next.tenant
        LIMIT 1
    )
    FROM behind
    WHERE behind.tenant IS NOT NULL
)
SELECT tenant FROM (SELECT tenant FROM ahead UNION ALL SELECT tenant FROM behind) AS found
WHERE tenant IS NOT NULL
LIMIT :most
