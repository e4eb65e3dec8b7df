UPDATE tasks SET
    phase = :phase, status = :status, updated_at = :updated_at, ended_at = :ended_at, deadline = :deadline,
    progress = :progress, question = :question, outcome = :outcome, history = :history
WHERE tenant = :tenant AND id = :id
