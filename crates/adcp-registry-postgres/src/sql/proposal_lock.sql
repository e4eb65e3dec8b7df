SELECT * FROM {schema}.proposals WHERE tenant = :tenant AND holder = :holder AND id = :id FOR UPDATE
