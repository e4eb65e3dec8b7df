SELECT task.*, turn.number AS turn FROM {schema}.tasks AS task
JOIN unnest(:tenants::text[], :ids::text[]) WITH ORDINALITY AS turn (tenant, id, number)
    ON task.tenant = turn.tenant AND task.id = turn.id
WHERE task.job_at <= :now AND task.ended_at IS NULL
ORDER BY turn.number
LIMIT :limit
FOR UPDATE OF task {skip locked}
