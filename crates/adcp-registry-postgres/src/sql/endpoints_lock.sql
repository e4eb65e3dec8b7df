SELECT known.* FROM {schema}.endpoints AS known
JOIN unnest(:tenants::text[], :endpoints::text[]) AS lane (tenant, endpoint)
    ON known.tenant = lane.tenant AND known.endpoint = lane.endpoint
ORDER BY known.tenant, known.endpoint
FOR UPDATE OF known
