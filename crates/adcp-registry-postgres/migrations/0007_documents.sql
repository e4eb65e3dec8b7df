-- Documents. The account is '*' for those of the whole seller; the buyer's agent is '' for the seller's and for an account's,
-- and begins with '@' otherwise.

CREATE TABLE {schema}.documents (
    tenant     TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    principal  TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    revision   BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    sealed     BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, account, principal, id)
);
