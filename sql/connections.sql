-- A row for each client backend, in the pool it belongs to.
\c "dbname=regression application_name='worker 7' options='-c pgpool_stats.pool=shop -c pgpool_stats.instance=web:1'"
SELECT pid = pg_backend_pid() AS me, pool, instance, datname, usename = session_user AS usename, source, via, multiplexed,
	application_name, client_addr, client_port, state, xact_start = now() AS xact_start, xacts, total_xact_time, suspect
FROM pgpool_stats.connections WHERE pool = 'shop';
-- it joins pg_stat_activity
SELECT c.pool, a.backend_type, c.state = a.state AS state, c.client_addr IS NOT DISTINCT FROM a.client_addr AS client_addr
FROM pgpool_stats.connections c JOIN pg_stat_activity a USING (pid, backend_start) WHERE c.pool = 'shop';
-- another label is another pool, and a sign of a pooler
SET pgpool_stats.instance = 'web:2';
SELECT instance, source, multiplexed FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
RESET pgpool_stats.instance;
-- transactions are counted, settings are none
SELECT xacts AS before FROM pgpool_stats.connections WHERE pid = pg_backend_pid() \gset
SET work_mem = '1MB';
SHOW work_mem;
RESET work_mem;
SELECT 1;
BEGIN; SELECT 1/0; ROLLBACK;
BEGIN; SAVEPOINT a; SELECT 1; ROLLBACK TO a; COMMIT AND CHAIN; SELECT 2; COMMIT;
SELECT xacts - :before AS xacts, total_xact_time > 0 AS time, max_xact_time > 0 AS longest
FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
-- percentiles need no more than a transaction
SELECT xacts > 0 AS xacts, mean_xact_time > 0 AS mean, xact_time_p50 <= xact_time_p99 AS ordered, peak_in_xact
FROM pgpool_stats.instances WHERE pool = 'shop' AND instance = 'web:1';
-- unlabelled: application_name, also when it changes
\c "dbname=regression application_name='worker 7' options=''"
SELECT pool, instance, source FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
SET application_name = 'reporting tool';
SELECT pool, instance, source FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
BEGIN;
SET LOCAL pgpool_stats.pool = 'local';
SELECT pool, source FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
COMMIT;
SELECT pool, source FROM pgpool_stats.connections WHERE pid = pg_backend_pid();
SELECT xacts FROM pgpool_stats.pools WHERE pool = 'local';
