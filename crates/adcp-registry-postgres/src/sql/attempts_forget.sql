DELETE FROM {schema}.attempts
WHERE (tenant, key) IN (SELECT * FROM unnest(:tenants::text[], :keys::text[]))
