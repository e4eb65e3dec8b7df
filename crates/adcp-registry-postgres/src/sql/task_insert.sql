INSERT INTO {schema}.tasks (
    tenant, id, account, principal, tool, task_type, protocol, phase, status, created_at, updated_at, deadline,
    lease_token, lease_until, due_at, context, effects, has_webhook, history,
    job_kind, job_input, job_attempts, job_max_attempts, job_not_before, job_claimed_at, job_at
) VALUES (
    :tenant, :id, :account, :principal, :tool, :task_type, :protocol, :phase, :status, :created_at, :updated_at,
    :deadline, :lease_token, :lease_until, :due_at, :context, :effects, :has_webhook, :history,
    :job_kind, :job_input, :job_attempts, :job_max_attempts, :job_not_before, :job_claimed_at, :job_at
)
ON CONFLICT (tenant, id) DO NOTHING
