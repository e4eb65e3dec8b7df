-- Deliveries. What the version before queues has the defaults: it is due at once, and in a lane without a name until
-- the first claim gives it one.

ALTER TABLE {schema}.events
    ADD COLUMN endpoint        TEXT COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN notification    TEXT COLLATE "C",
    ADD COLUMN about           TEXT COLLATE "C",
    ADD COLUMN subscriber      TEXT COLLATE "C",
    ADD COLUMN state           TEXT COLLATE "C" NOT NULL DEFAULT 'pending',
    ADD COLUMN reason          TEXT COLLATE "C",
    ADD COLUMN token           BYTEA,
    ADD COLUMN attempts        BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN attempts_before BIGINT NOT NULL DEFAULT 0,
    -- When it can be claimed next; empty once it was delivered or given up.
    ADD COLUMN due_at          BIGINT DEFAULT 0,
    -- When its schedule began; empty stands for when it was queued.
    ADD COLUMN since           BIGINT,
    ADD COLUMN settled_at      BIGINT,
    ADD COLUMN redeliveries    TEXT COLLATE "C" NOT NULL DEFAULT '[]';

CREATE INDEX events_due ON {schema}.events (tenant, endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_claimed ON {schema}.events (tenant, endpoint, due_at) WHERE state = 'sending';
CREATE INDEX events_by_age ON {schema}.events ((coalesce(since, queued_at))) WHERE due_at IS NOT NULL;
CREATE INDEX events_dead ON {schema}.events (tenant, queued_at, key) WHERE state = 'dead';
CREATE INDEX events_about ON {schema}.events (tenant, about, queued_at) WHERE about IS NOT NULL;

CREATE TABLE {schema}.attempts (
    tenant      TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    class       TEXT COLLATE "C" NOT NULL,
    started_at  BIGINT NOT NULL,
    took        BIGINT NOT NULL,
    http_status BIGINT,
    peer        TEXT COLLATE "C",
    detail      TEXT COLLATE "C",
    answer      TEXT COLLATE "C",
    PRIMARY KEY (tenant, key, number)
);

CREATE TABLE {schema}.endpoints (
    tenant     TEXT COLLATE "C" NOT NULL,
    endpoint   TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    failures   BIGINT NOT NULL,
    openings   BIGINT NOT NULL,
    until      BIGINT,
    probe      BYTEA,
    changed_at BIGINT NOT NULL,
    last       TEXT COLLATE "C",
    PRIMARY KEY (tenant, endpoint)
);
