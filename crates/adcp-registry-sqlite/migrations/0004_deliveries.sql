-- Deliveries. What the version before queues has the defaults: it is due at once, and in a lane without a name until
-- the first claim gives it one.

ALTER TABLE events ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN notification TEXT;
ALTER TABLE events ADD COLUMN about TEXT;
ALTER TABLE events ADD COLUMN subscriber TEXT;
ALTER TABLE events ADD COLUMN state TEXT NOT NULL DEFAULT 'pending';
ALTER TABLE events ADD COLUMN reason TEXT;
ALTER TABLE events ADD COLUMN token BLOB;
ALTER TABLE events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;
-- When it can be claimed next; empty once it was delivered or given up.
ALTER TABLE events ADD COLUMN due_at INTEGER DEFAULT 0;
-- When its schedule began; empty stands for when it was queued.
ALTER TABLE events ADD COLUMN since INTEGER;
ALTER TABLE events ADD COLUMN settled_at INTEGER;
ALTER TABLE events ADD COLUMN redeliveries TEXT NOT NULL DEFAULT '[]';

CREATE INDEX events_due ON events (tenant, endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_claimed ON events (tenant, endpoint, due_at) WHERE state = 'sending';
CREATE INDEX events_by_age ON events (coalesce(since, queued_at)) WHERE due_at IS NOT NULL;
CREATE INDEX events_by_time ON events (tenant, queued_at, key);
CREATE INDEX events_dead ON events (tenant, queued_at, key) WHERE state = 'dead';
CREATE INDEX events_about ON events (tenant, about, queued_at) WHERE about IS NOT NULL;

CREATE TABLE attempts (
    tenant      TEXT NOT NULL,
    key         TEXT NOT NULL,
    number      INTEGER NOT NULL,
    class       TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    took        INTEGER NOT NULL,
    http_status INTEGER,
    peer        TEXT,
    detail      TEXT,
    answer      TEXT,
    PRIMARY KEY (tenant, key, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
    tenant     TEXT NOT NULL,
    endpoint   TEXT NOT NULL,
    state      TEXT NOT NULL,
    failures   INTEGER NOT NULL,
    openings   INTEGER NOT NULL,
    until      INTEGER,
    probe      BLOB,
    changed_at INTEGER NOT NULL,
    last       TEXT,
    PRIMARY KEY (tenant, endpoint)
) STRICT, WITHOUT ROWID;
