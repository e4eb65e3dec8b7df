SELECT * FROM {schema}.attempts WHERE tenant = :tenant AND key = :key ORDER BY number
