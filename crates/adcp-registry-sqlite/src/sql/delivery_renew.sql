UPDATE events SET due_at = :until WHERE number = :number
