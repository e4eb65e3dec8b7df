INSERT INTO endpoints (tenant, endpoint, state, failures, openings, until, probe, changed_at, last)
VALUES (:tenant, :endpoint, :state, :failures, :openings, :until, :probe, :changed_at, :last)
ON CONFLICT (tenant, endpoint) DO UPDATE SET
    state = excluded.state, failures = excluded.failures, openings = excluded.openings, until = excluded.until,
    probe = excluded.probe, changed_at = excluded.changed_at, last = excluded.last
