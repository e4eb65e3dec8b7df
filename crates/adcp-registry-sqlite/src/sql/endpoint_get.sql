SELECT * FROM endpoints WHERE tenant = :tenant AND endpoint = :endpoint
