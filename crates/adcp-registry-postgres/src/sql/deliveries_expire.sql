UPDATE {schema}.events SET state = :state, reason = :reason, due_at = NULL, settled_at = :now, token = NULL
WHERE (tenant, key) IN (
    SELECT tenant, key FROM {schema}.events
    WHERE due_at IS NOT NULL AND coalesce(since, queued_at) <= :horizon
        AND (:tenants::text[] IS NULL OR tenant = ANY (:tenants::text[]))
        AND NOT (state = 'sending' AND due_at > :now)
    ORDER BY coalesce(since, queued_at)
    LIMIT :limit
    FOR UPDATE {skip locked}
)
