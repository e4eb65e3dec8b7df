UPDATE {schema}.tasks SET
    phase = :phase, status = :status, updated_at = :updated_at, ended_at = :ended_at, deadline = :deadline,
    lease_token = :lease_token, lease_until = :lease_until, due_at = :due_at,
    progress = :progress, question = :question, outcome = :outcome, history = :history
WHERE tenant = :tenant AND id = :id
