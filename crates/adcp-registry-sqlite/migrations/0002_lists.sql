-- Pages of a buyer who names no account, and of the seller's people.

CREATE INDEX tasks_of_principal ON tasks (tenant, principal, created_at, id);
CREATE INDEX tasks_of_tenant ON tasks (tenant, created_at, id);
