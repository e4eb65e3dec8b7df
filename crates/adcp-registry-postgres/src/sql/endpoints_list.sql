SELECT * FROM {schema}.endpoints
WHERE tenant = :tenant AND endpoint > :after AND (NOT :paused OR state <> 'closed')
ORDER BY endpoint
LIMIT :limit
