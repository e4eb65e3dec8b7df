UPDATE events SET body = '', sealed_body = 0, sealed_credentials = NULL
WHERE number IN (
    SELECT number FROM events
    WHERE settled_at IS NOT NULL AND body <> '' AND state = :state AND settled_at <= :horizon
    ORDER BY settled_at
    LIMIT :limit
)
