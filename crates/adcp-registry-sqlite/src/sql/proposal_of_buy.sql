SELECT * FROM proposals
WHERE tenant = :tenant AND buyer_account = :account AND media_buy_id = :media_buy_id AND forget_at > :now
    AND (:account <> '' OR buyer_principal = :principal)
ORDER BY updated_at DESC
LIMIT 1
