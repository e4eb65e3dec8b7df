UPDATE events SET state = 'sending', token = :token, attempts = attempts + 1, due_at = :until
WHERE number = :number
