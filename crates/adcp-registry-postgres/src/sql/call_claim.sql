INSERT INTO {schema}.calls AS known (
    tenant, account, principal, session, key, tool, hash, token, state, reply, claimed_at, expires_at, forget_at
) VALUES (
    :tenant, :account, :principal, :session, :key, :tool, :hash, :token, 'running', NULL, :claimed_at,
    :expires_at, :forget_at
)
ON CONFLICT (tenant, account, principal, session, key) DO UPDATE SET
    tool = excluded.tool, hash = excluded.hash, token = excluded.token, state = excluded.state, reply = NULL,
    claimed_at = excluded.claimed_at, expires_at = excluded.expires_at, forget_at = excluded.forget_at
WHERE known.forget_at <= :claimed_at AND known.state NOT IN ('running', 'fenced')
