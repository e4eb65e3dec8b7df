INSERT INTO {schema}.attempts (tenant, key, number, class, started_at, took, http_status, peer, detail, answer)
SELECT * FROM unnest(
    :tenants::text[], :keys::text[], :numbers::bigint[], :classes::text[], :started::bigint[], :took::bigint[],
    :statuses::bigint[], :peers::text[], :details::text[], :answers::text[]
)
