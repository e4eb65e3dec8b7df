-- From lane to lane by one probe of the index each, round to where it began, until enough of them have something due.
SELECT lane.tenant, lane.endpoint, lane.due_at, lane.hits, breaker.state, breaker.failures, breaker.openings,
    breaker.until, breaker.probe, breaker.changed_at, breaker.last,
    CASE WHEN lane.due_at <= :now THEN (
        SELECT count(*) FROM (
            SELECT 1 FROM {schema}.events AS event
            WHERE event.due_at IS NOT NULL AND event.tenant = lane.tenant AND event.endpoint = lane.endpoint
                AND event.due_at <= :now
            LIMIT :most
        ) AS ready
    ) ELSE 0 END AS ready,
    CASE WHEN lane.due_at <= :now THEN (
        SELECT count(*) FROM (
            SELECT 1 FROM {schema}.events AS event
            WHERE event.state = 'sending' AND event.tenant = lane.tenant AND event.endpoint = lane.endpoint
                AND event.due_at > :now
            LIMIT :most
        ) AS flying
    ) ELSE 0 END AS flying
FROM (
    SELECT asked.tenant COLLATE "C" AS tenant, found.endpoint, found.due_at, found.hits
    FROM unnest(:tenants::text[], :afters::text[]) AS asked (tenant, after)
    CROSS JOIN LATERAL (
        WITH RECURSIVE walk (endpoint, due_at, wrapped, hits) AS (
            SELECT endpoint, due_at, wrapped, (due_at <= :now)::int::bigint FROM (
                (
                    SELECT next.endpoint, next.due_at, false AS wrapped FROM {schema}.events AS next
                    WHERE next.due_at IS NOT NULL AND next.tenant = asked.tenant AND next.endpoint > asked.after
                    ORDER BY next.endpoint, next.due_at
                    LIMIT 1
                ) UNION ALL (
                    SELECT next.endpoint, next.due_at, true FROM {schema}.events AS next
                    WHERE next.due_at IS NOT NULL AND next.tenant = asked.tenant AND next.endpoint > ''
                        AND next.endpoint <= asked.after
                    ORDER BY next.endpoint, next.due_at
                    LIMIT 1
                )
                LIMIT 1
            ) AS seed
            UNION ALL
            SELECT step.endpoint, step.due_at, step.wrapped, walk.hits + (step.due_at <= :now)::int
            FROM walk
            CROSS JOIN LATERAL (
                (
                    SELECT next.endpoint, next.due_at, false AS wrapped FROM {schema}.events AS next
                    WHERE NOT walk.wrapped AND next.due_at IS NOT NULL AND next.tenant = asked.tenant
                        AND next.endpoint > walk.endpoint
                    ORDER BY next.endpoint, next.due_at
                    LIMIT 1
                ) UNION ALL (
                    SELECT next.endpoint, next.due_at, true FROM {schema}.events AS next
                    WHERE walk.wrapped AND next.due_at IS NOT NULL AND next.tenant = asked.tenant
                        AND next.endpoint > walk.endpoint AND next.endpoint <= asked.after
                    ORDER BY next.endpoint, next.due_at
                    LIMIT 1
                ) UNION ALL (
                    SELECT next.endpoint, next.due_at, true FROM {schema}.events AS next
                    WHERE NOT walk.wrapped AND next.due_at IS NOT NULL AND next.tenant = asked.tenant
                        AND next.endpoint > '' AND next.endpoint <= asked.after
                    ORDER BY next.endpoint, next.due_at
                    LIMIT 1
                )
                LIMIT 1
            ) AS step
            WHERE walk.hits < :wanted
        )
        SELECT endpoint, due_at, hits FROM walk LIMIT :each
    ) AS found
) AS lane
LEFT JOIN {schema}.endpoints AS breaker
    ON lane.due_at <= :now AND breaker.tenant = lane.tenant AND breaker.endpoint = lane.endpoint
