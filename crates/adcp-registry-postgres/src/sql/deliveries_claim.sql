WITH taken AS (
    SELECT event.tenant, event.key
    FROM unnest(:tenants::text[], :endpoints::text[], :rows::bigint[]) AS lane (tenant, endpoint, rows)
    CROSS JOIN LATERAL (
        SELECT due.tenant, due.key FROM {schema}.events AS due
        WHERE due.due_at IS NOT NULL AND due.tenant = lane.tenant AND due.endpoint = lane.endpoint
            AND due.due_at <= :now
        ORDER BY due.due_at
        LIMIT greatest(0, least(lane.rows, :most - (
            SELECT count(*) FROM {schema}.events AS flying
            WHERE flying.state = 'sending' AND flying.tenant = lane.tenant AND flying.endpoint = lane.endpoint
                AND flying.due_at > :now
        )))
        FOR UPDATE {skip locked}
    ) AS event
    -- No more than was planned; said again so that the database knows how few they are.
    LIMIT :limit
)
UPDATE {schema}.events AS event
SET state = 'sending', token = :token, attempts = event.attempts + 1, due_at = :until
FROM taken
WHERE event.tenant = taken.tenant AND event.key = taken.key
RETURNING event.*
