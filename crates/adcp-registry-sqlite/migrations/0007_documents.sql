-- Documents. The account is '*' for those of the whole seller; the buyer's agent is '' for the seller's and for an account's,
-- and begins with '@' otherwise.

CREATE TABLE documents (
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    account    TEXT NOT NULL,
    principal  TEXT NOT NULL,
    id         TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sealed     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, account, principal, id)
) STRICT;
