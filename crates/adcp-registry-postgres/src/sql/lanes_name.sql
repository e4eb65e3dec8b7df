UPDATE {schema}.events AS event SET endpoint = named.endpoint
FROM unnest(:tenants::text[], :keys::text[], :endpoints::text[]) AS named (tenant, key, endpoint)
WHERE event.tenant = named.tenant AND event.key = named.key AND event.endpoint = ''
