SELECT * FROM {schema}.events WHERE state = 'sending' AND token = :token
