-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is text. A missing account is ''; one that is there begins with '='.

CREATE TABLE tasks (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    principal   TEXT NOT NULL,
    tool        TEXT NOT NULL,
    task_type   TEXT NOT NULL,
    protocol    TEXT NOT NULL,
    phase       TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    deadline    INTEGER,
    lease_token BLOB,
    lease_until INTEGER,
    due_at      INTEGER,
    context     TEXT,
    progress    TEXT,
    question    TEXT,
    outcome     TEXT,
    effects     TEXT NOT NULL,
    has_webhook INTEGER NOT NULL,
    history     TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_of_caller ON tasks (tenant, principal, account, created_at, id);
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_end ON tasks (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE calls (
    tenant     TEXT NOT NULL,
    account    TEXT NOT NULL,
    principal  TEXT NOT NULL,
    session    TEXT NOT NULL,
    key        TEXT NOT NULL,
    tool       TEXT NOT NULL,
    hash       BLOB NOT NULL,
    token      BLOB NOT NULL,
    state      TEXT NOT NULL,
    reply      TEXT,
    claimed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, account, principal, session, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX calls_by_end ON calls (forget_at);
CREATE INDEX calls_unresolved ON calls (tenant, claimed_at) WHERE state IN ('running', 'fenced');

CREATE TABLE proposals (
    tenant          TEXT NOT NULL,
    holder          TEXT NOT NULL,
    id              TEXT NOT NULL,
    state           TEXT NOT NULL,
    payload         TEXT NOT NULL,
    recipes         TEXT NOT NULL,
    products        TEXT NOT NULL,
    expires_at      INTEGER,
    media_buy_id    TEXT,
    buyer_account   TEXT,
    buyer_principal TEXT,
    packages        TEXT NOT NULL,
    hold            BLOB,
    held_until      INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    forget_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, holder, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX proposals_by_buy ON proposals (tenant, buyer_account, media_buy_id) WHERE media_buy_id IS NOT NULL;
CREATE INDEX proposals_by_end ON proposals (forget_at);

CREATE TABLE events (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant             TEXT NOT NULL,
    key                TEXT NOT NULL,
    account            TEXT NOT NULL,
    principal          TEXT NOT NULL,
    task               TEXT NOT NULL,
    task_type          TEXT NOT NULL,
    status             TEXT NOT NULL,
    url                TEXT NOT NULL,
    scheme             TEXT,
    sealed_credentials TEXT,
    body               TEXT NOT NULL,
    sealed_body        INTEGER NOT NULL,
    queued_at          INTEGER NOT NULL,
    UNIQUE (tenant, key)
) STRICT;

CREATE INDEX events_in_order ON events (tenant, number);
CREATE INDEX events_of_task ON events (tenant, task);
