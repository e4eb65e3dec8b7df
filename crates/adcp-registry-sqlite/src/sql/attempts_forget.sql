DELETE FROM attempts WHERE tenant = :tenant AND key = :key
