-- Open tasks by age, events by when they were settled, and keys by when they may be forgotten, which those without a known
-- outcome never are.

CREATE INDEX tasks_open ON tasks (created_at) WHERE ended_at IS NULL;
CREATE INDEX calls_to_forget ON calls (forget_at) WHERE state NOT IN ('running', 'fenced');
DROP INDEX calls_by_end;
CREATE INDEX events_settled ON events (state, settled_at) WHERE settled_at IS NOT NULL;
