DELETE FROM events WHERE tenant = :tenant AND task = :task
