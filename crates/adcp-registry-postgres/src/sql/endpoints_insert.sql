INSERT INTO {schema}.endpoints (tenant, endpoint, state, failures, openings, changed_at)
SELECT lane.tenant, lane.endpoint, 'closed', 0, 0, :now
FROM unnest(:tenants::text[], :endpoints::text[]) AS lane (tenant, endpoint)
ON CONFLICT (tenant, endpoint) DO NOTHING
