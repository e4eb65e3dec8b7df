-- What made a database of schema 1, as that version released it. Never edited.

CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.adcp_migrations (
    number   BIGINT PRIMARY KEY,
    serves   BIGINT NOT NULL,
    checksum TEXT COLLATE "C" NOT NULL
);
INSERT INTO {schema}.adcp_migrations (number, serves, checksum) VALUES (0, 0, '') ON CONFLICT (number) DO NOTHING;

-- Step 1
-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is text, so that its bytes stay. Texts compare byte by byte.
-- A missing account is ''; one that is there begins with '='.

CREATE TABLE {schema}.tasks (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    principal   TEXT COLLATE "C" NOT NULL,
    tool        TEXT COLLATE "C" NOT NULL,
    task_type   TEXT COLLATE "C" NOT NULL,
    protocol    TEXT COLLATE "C" NOT NULL,
    phase       TEXT COLLATE "C" NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    deadline    BIGINT,
    lease_token BYTEA,
    lease_until BIGINT,
    due_at      BIGINT,
    context     TEXT COLLATE "C",
    progress    TEXT COLLATE "C",
    question    TEXT COLLATE "C",
    outcome     TEXT COLLATE "C",
    effects     TEXT COLLATE "C" NOT NULL,
    has_webhook BOOLEAN NOT NULL,
    history     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX tasks_of_caller ON {schema}.tasks (tenant, principal, account, created_at, id);
CREATE INDEX tasks_of_tenant ON {schema}.tasks (tenant, created_at, id);
CREATE INDEX tasks_due ON {schema}.tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_end ON {schema}.tasks (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE {schema}.calls (
    tenant     TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    principal  TEXT COLLATE "C" NOT NULL,
    session    TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    tool       TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL,
    token      BYTEA NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    reply      TEXT COLLATE "C",
    claimed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    forget_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, account, principal, session, key)
);

CREATE INDEX calls_by_end ON {schema}.calls (forget_at);
CREATE INDEX calls_unresolved ON {schema}.calls (tenant, claimed_at) WHERE state IN ('running', 'fenced');

CREATE TABLE {schema}.proposals (
    tenant          TEXT COLLATE "C" NOT NULL,
    holder          TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    payload         TEXT COLLATE "C" NOT NULL,
    recipes         TEXT COLLATE "C" NOT NULL,
    products        TEXT COLLATE "C" NOT NULL,
    expires_at      BIGINT,
    media_buy_id    TEXT COLLATE "C",
    buyer_account   TEXT COLLATE "C",
    buyer_principal TEXT COLLATE "C",
    packages        TEXT COLLATE "C" NOT NULL,
    hold            BYTEA,
    held_until      BIGINT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    forget_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, holder, id)
);

CREATE INDEX proposals_by_buy ON {schema}.proposals (tenant, buyer_account, media_buy_id) WHERE media_buy_id IS NOT NULL;
CREATE INDEX proposals_by_end ON {schema}.proposals (forget_at);

CREATE TABLE {schema}.events (
    tenant             TEXT COLLATE "C" NOT NULL,
    key                TEXT COLLATE "C" NOT NULL,
    account            TEXT COLLATE "C" NOT NULL,
    principal          TEXT COLLATE "C" NOT NULL,
    task               TEXT COLLATE "C" NOT NULL,
    task_type          TEXT COLLATE "C" NOT NULL,
    status             TEXT COLLATE "C" NOT NULL,
    url                TEXT COLLATE "C" NOT NULL,
    scheme             TEXT COLLATE "C",
    sealed_credentials TEXT COLLATE "C",
    body               TEXT COLLATE "C" NOT NULL,
    sealed_body        BOOLEAN NOT NULL,
    queued_at          BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE INDEX events_in_order ON {schema}.events (tenant, queued_at, key);
CREATE INDEX events_of_task ON {schema}.events (tenant, task);

INSERT INTO {schema}.adcp_migrations (number, serves, checksum) VALUES (1, 1, '8b0ef0299b0f240085578d8dcc8181fd38b92ca98a0a3b9329ac40fea3d1f7ee');
