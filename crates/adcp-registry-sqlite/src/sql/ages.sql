SELECT
    (SELECT min(created_at) FROM tasks WHERE ended_at IS NULL) AS open_since,
    (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE ended_at IS NULL LIMIT :most)) AS open,
    (SELECT min(due_at) FROM tasks WHERE due_at IS NOT NULL AND due_at <= :now) AS overdue_since,
    (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE due_at IS NOT NULL AND due_at <= :now LIMIT :most)) AS overdue,
    (SELECT min(claimed_at) FROM calls WHERE state IN ('running', 'fenced')) AS unresolved_since,
    (SELECT count(*) FROM (SELECT 1 FROM calls WHERE state IN ('running', 'fenced') LIMIT :most)) AS unresolved,
    (SELECT min(coalesce(since, queued_at)) FROM events WHERE due_at IS NOT NULL) AS events_since,
    (SELECT count(*) FROM (SELECT 1 FROM events WHERE due_at IS NOT NULL LIMIT :most)) AS events,
    (SELECT min(settled_at) FROM events WHERE settled_at IS NOT NULL AND body <> '' AND state = 'dead') AS dead_since,
    (SELECT count(*) FROM (
        SELECT 1 FROM events WHERE settled_at IS NOT NULL AND body <> '' AND state = 'dead' LIMIT :most
    )) AS dead,
    (SELECT min(ended_at) FROM tasks WHERE ended_at IS NOT NULL) AS ended_since,
    (SELECT min(forget_at) FROM calls WHERE state NOT IN ('running', 'fenced')) AS calls_since,
    (SELECT min(forget_at) FROM proposals) AS proposals_since
