SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::bigint AS number,
    pg_is_in_recovery() AS is_standby,
    current_setting('fsync', true) AS fsync,
    current_setting('full_page_writes', true) AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('autovacuum', true) AS autovacuum,
    current_setting('server_encoding') AS encoding,
    current_setting('default_transaction_isolation') AS isolation,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout') AS statement_timeout,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'lock_timeout') AS lock_timeout,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'transaction_timeout') AS transaction_timeout,
    COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted,
    COALESCE(inet_client_addr() = inet_server_addr(), inet_server_addr() IS NULL) AS is_local,
    (current_setting('max_connections')::bigint
        - (SELECT COALESCE(sum(setting::bigint), 0)::bigint FROM pg_settings
           WHERE name IN ('superuser_reserved_connections', 'reserved_connections'))) AS of_server,
    (SELECT NULLIF(rolconnlimit, -1)::bigint FROM pg_roles WHERE rolname = current_user) AS of_role,
    (SELECT NULLIF(datconnlimit, -1)::bigint FROM pg_database WHERE datname = current_database()) AS of_database,
    (SELECT COALESCE(sum(numbackends), 0)::bigint FROM pg_stat_database) AS used
