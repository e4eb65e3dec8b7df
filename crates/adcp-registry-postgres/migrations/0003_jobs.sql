-- Jobs: work of a task that any process with a handler of its kind may do. All of it is empty for other tasks.

ALTER TABLE {schema}.tasks
    ADD COLUMN job_kind         TEXT COLLATE "C",
    ADD COLUMN job_input        TEXT COLLATE "C",
    ADD COLUMN job_attempts     BIGINT,
    ADD COLUMN job_max_attempts BIGINT,
    ADD COLUMN job_not_before   BIGINT,
    ADD COLUMN job_claimed_at   BIGINT,
    -- When it can be claimed next; empty when it never can as it stands.
    ADD COLUMN job_at           BIGINT;

-- A version that knows no jobs ends one without emptying job_at.
CREATE INDEX tasks_claimable ON {schema}.tasks (job_kind, tenant, job_at, id) WHERE job_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX tasks_claimed ON {schema}.tasks (tenant, job_claimed_at) WHERE job_claimed_at IS NOT NULL;
