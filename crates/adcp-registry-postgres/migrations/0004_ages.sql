-- Open tasks by age, and keys by when they may be forgotten, which those without a known outcome never are. On tables of
-- many millions make both beforehand with CREATE INDEX CONCURRENTLY: this step then finds them there.

CREATE INDEX IF NOT EXISTS tasks_open ON {schema}.tasks (created_at) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS calls_to_forget ON {schema}.calls (forget_at) WHERE state NOT IN ('running', 'fenced');
DROP INDEX IF EXISTS {schema}.calls_by_end;
