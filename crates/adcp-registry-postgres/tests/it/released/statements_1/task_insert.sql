INSERT INTO {schema}.tasks (
    tenant, id, account, principal, tool, task_type, protocol, phase, status, created_at, updated_at, deadline,
    lease_token, lease_until, due_at, context, effects, has_webhook, history
) VALUES (
    :tenant, :id, :account, :principal, :tool, :task_type, :protocol, :phase, :status, :created_at, :updated_at,
    :deadline, :lease_token, :lease_until, :due_at, :context, :effects, :has_webhook, :history
)
ON CONFLICT (tenant, id) DO NOTHING
