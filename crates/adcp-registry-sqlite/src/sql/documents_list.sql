SELECT * FROM documents
WHERE tenant = :tenant AND kind = :kind
    AND (:account IS NULL OR account = :account)
    AND (:principal IS NULL OR principal = :principal)
    AND (:after_id IS NULL OR (account, principal, id) > (:after_account, :after_principal, :after_id))
ORDER BY account, principal, id
LIMIT :limit
