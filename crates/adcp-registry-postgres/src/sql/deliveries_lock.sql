SELECT * FROM {schema}.events
WHERE tenant = :tenant AND key = ANY (:keys::text[])
ORDER BY key
FOR UPDATE
