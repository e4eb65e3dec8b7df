INSERT INTO {schema}.events (
    tenant, key, account, principal, task, task_type, status, url, scheme, sealed_credentials, body, sealed_body,
    queued_at
) VALUES (
    :tenant, :key, :account, :principal, :task, :task_type, :status, :url, :scheme, :sealed_credentials, :body,
    :sealed_body, :queued_at
)
