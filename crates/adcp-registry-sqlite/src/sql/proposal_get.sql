SELECT * FROM proposals WHERE tenant = :tenant AND holder = :holder AND id = :id
