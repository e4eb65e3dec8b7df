SELECT c.relname || ': ' || string_agg(lower(p.name), ', ' ORDER BY p.at) AS lacks
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')) AS p (at, name)
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p')
  AND CASE
      WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN true
      -- The steps that were taken are only read by those who serve.
      WHEN c.relname = 'adcp_migrations' THEN p.name = 'SELECT' AND NOT has_table_privilege(c.oid, p.name)
      ELSE NOT has_table_privilege(c.oid, p.name)
  END
GROUP BY c.relname
ORDER BY c.relname
