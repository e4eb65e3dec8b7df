SELECT event.tenant, event.key, event.url
FROM unnest(:tenants::text[]) AS asked (tenant)
CROSS JOIN LATERAL (
    SELECT tenant, key, url FROM {schema}.events
    WHERE due_at IS NOT NULL AND tenant = asked.tenant AND endpoint = ''
    LIMIT 500
) AS event
