INSERT INTO {schema}.documents (
    tenant, kind, account, principal, id, revision, body, sealed, created_at, updated_at
) VALUES (
    :tenant, :kind, :account, :principal, :id, :revision, :body, :sealed, :now, :now
)
ON CONFLICT (tenant, kind, account, principal, id) DO NOTHING
