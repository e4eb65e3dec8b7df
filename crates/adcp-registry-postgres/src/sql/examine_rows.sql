SELECT
    (SELECT count(*) FROM {schema}.tasks WHERE ended_at IS NULL) AS open,
    (SELECT count(*) FROM {schema}.tasks WHERE due_at <= $1) AS overdue,
    (SELECT count(*) FROM {schema}.calls WHERE state = 'fenced') AS fenced,
    (SELECT count(*) FROM {schema}.events WHERE due_at IS NOT NULL) AS events,
    GREATEST(
        (SELECT max(updated_at) FROM {schema}.tasks),
        (SELECT max(claimed_at) FROM {schema}.calls),
        (SELECT max(updated_at) FROM {schema}.proposals)
    ) AS newest
