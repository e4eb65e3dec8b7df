INSERT INTO documents (
    tenant, kind, account, principal, id, revision, body, sealed, created_at, updated_at
) VALUES (
    :tenant, :kind, :account, :principal, :id, :revision, :body, :sealed, :now, :now
)
ON CONFLICT (tenant, kind, account, principal, id) DO UPDATE SET
    revision = excluded.revision, body = excluded.body, sealed = excluded.sealed, updated_at = excluded.updated_at
