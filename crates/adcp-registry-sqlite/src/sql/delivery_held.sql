SELECT number, endpoint, attempts FROM events
WHERE tenant = :tenant AND key = :key AND token = :token AND state = 'sending' AND due_at > :now
