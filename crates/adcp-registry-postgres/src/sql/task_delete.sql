DELETE FROM {schema}.tasks WHERE tenant = :tenant AND id = :id
