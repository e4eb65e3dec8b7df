-- Pages of a buyer who names no account. On a table of many millions make it beforehand with CREATE INDEX CONCURRENTLY:
-- this step then finds it there.

CREATE INDEX IF NOT EXISTS tasks_of_principal ON {schema}.tasks (tenant, principal, created_at, id);
