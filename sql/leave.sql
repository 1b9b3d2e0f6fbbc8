-- For the next run on this server: what reported here takes no room any more.
SELECT count(pgpool_stats.forget(pool, instance)) > 0 AS forgotten
FROM pgpool_stats.instances
WHERE datname = current_database() AND usename = session_user AND source = 'report';
SELECT pool, instance, source, status FROM pgpool_stats.instances
WHERE datname = current_database() AND usename = session_user AND source = 'report';
