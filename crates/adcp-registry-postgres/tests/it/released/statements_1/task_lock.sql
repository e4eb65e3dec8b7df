SELECT * FROM {schema}.tasks
WHERE tenant = :tenant AND id = :id
    AND (:principal IS NULL OR principal = :principal)
    AND (:account IS NULL OR account = :account)
FOR UPDATE
