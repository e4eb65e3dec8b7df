DELETE FROM events
WHERE number IN (
    SELECT number FROM events
    WHERE settled_at IS NOT NULL AND body = '' AND state = :state AND settled_at <= :horizon
    ORDER BY settled_at
    LIMIT :limit
)
RETURNING tenant, key
