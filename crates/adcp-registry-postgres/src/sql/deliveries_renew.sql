UPDATE {schema}.events AS event SET due_at = :until
FROM unnest(:tenants::text[], :keys::text[]) AS hold (tenant, key)
WHERE event.tenant = hold.tenant AND event.key = hold.key
