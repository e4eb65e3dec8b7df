DELETE FROM {schema}.events
WHERE (tenant, task) IN (SELECT * FROM unnest(:tenants, :tasks))
