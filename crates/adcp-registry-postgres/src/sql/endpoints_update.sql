UPDATE {schema}.endpoints AS known SET
    state = lane.state, failures = lane.failures, openings = lane.openings, until = lane.until, probe = lane.probe,
    changed_at = lane.changed_at, last = lane.last
FROM unnest(
    :tenants::text[], :endpoints::text[], :states::text[], :failures::bigint[], :openings::bigint[], :untils::bigint[],
    :probes::bytea[], :changed::bigint[], :lasts::text[]
) AS lane (tenant, endpoint, state, failures, openings, until, probe, changed_at, last)
WHERE known.tenant = lane.tenant AND known.endpoint = lane.endpoint
