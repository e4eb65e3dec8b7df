SELECT account, principal, session, key, tool, claimed_at, state FROM {schema}.calls
WHERE tenant = :tenant AND state IN ('running', 'fenced')
ORDER BY claimed_at, key
LIMIT :limit
