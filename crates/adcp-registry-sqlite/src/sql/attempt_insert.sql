INSERT INTO attempts (tenant, key, number, class, started_at, took, http_status, peer, detail, answer)
VALUES (:tenant, :key, :number, :class, :started_at, :took, :http_status, :peer, :detail, :answer)
