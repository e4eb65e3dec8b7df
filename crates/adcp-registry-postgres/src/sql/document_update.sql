UPDATE {schema}.documents SET
    revision = :revision, body = :body, sealed = :sealed, updated_at = greatest(updated_at, :now)
WHERE tenant = :tenant AND kind = :kind AND account = :account AND principal = :principal AND id = :id
