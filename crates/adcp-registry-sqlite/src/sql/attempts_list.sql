SELECT * FROM attempts WHERE tenant = :tenant AND key = :key ORDER BY number
