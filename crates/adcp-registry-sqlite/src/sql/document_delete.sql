DELETE FROM documents
WHERE tenant = :tenant AND kind = :kind AND account = :account AND principal = :principal AND id = :id
