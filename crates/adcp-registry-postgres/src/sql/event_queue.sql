INSERT INTO {schema}.events (
    tenant, key, account, principal, task, task_type, status, url, scheme, sealed_credentials, body, sealed_body,
    queued_at, endpoint, notification, about, subscriber, due_at, since
) VALUES (
    :tenant, :key, :account, :principal, :task, :task_type, :status, :url, :scheme, :sealed_credentials, :body,
    :sealed_body, :queued_at, :endpoint, :notification, :about, :subscriber, :queued_at, :queued_at
) ON CONFLICT (tenant, key) DO NOTHING
