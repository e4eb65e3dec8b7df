DELETE FROM {schema}.attempts AS attempt
USING unnest(:tenants::text[], :keys::text[], :numbers::bigint[]) AS old (tenant, key, number)
WHERE attempt.tenant = old.tenant AND attempt.key = old.key AND attempt.number <= old.number
