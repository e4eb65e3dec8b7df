SELECT
    (SELECT min(created_at) FROM {schema}.tasks WHERE ended_at IS NULL) AS open_since,
    (SELECT count(*) FROM (SELECT 1 FROM {schema}.tasks WHERE ended_at IS NULL LIMIT :most) AS t) AS open,
    (SELECT min(due_at) FROM {schema}.tasks WHERE due_at IS NOT NULL AND due_at <= :now) AS overdue_since,
    (SELECT count(*) FROM (
        SELECT 1 FROM {schema}.tasks WHERE due_at IS NOT NULL AND due_at <= :now LIMIT :most
    ) AS t) AS overdue,
    (SELECT min(claimed_at) FROM {schema}.calls WHERE state IN ('running', 'fenced')) AS unresolved_since,
    (SELECT count(*) FROM (
        SELECT 1 FROM {schema}.calls WHERE state IN ('running', 'fenced') LIMIT :most
    ) AS t) AS unresolved,
    (SELECT min(coalesce(since, queued_at)) FROM {schema}.events WHERE due_at IS NOT NULL) AS events_since,
    (SELECT count(*) FROM (SELECT 1 FROM {schema}.events WHERE due_at IS NOT NULL LIMIT :most) AS t) AS events,
    (
        SELECT min(settled_at) FROM {schema}.events
        WHERE settled_at IS NOT NULL AND body <> '' AND state = 'dead'
    ) AS dead_since,
    (SELECT count(*) FROM (
        SELECT 1 FROM {schema}.events
        WHERE settled_at IS NOT NULL AND body <> '' AND state = 'dead'
        LIMIT :most
    ) AS t) AS dead,
    (SELECT min(ended_at) FROM {schema}.tasks WHERE ended_at IS NOT NULL) AS ended_since,
    (SELECT min(forget_at) FROM {schema}.calls WHERE state NOT IN ('running', 'fenced')) AS calls_since,
    (SELECT min(forget_at) FROM {schema}.proposals) AS proposals_since
