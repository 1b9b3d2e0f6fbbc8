-- Which dialect is taken: most specific first, whatever the spelling of keys;
-- and what happens to numbers, durations and shapes.
SET pgpool_stats.strict_reports = on;
\set SHOW_CONTEXT never

CREATE TEMP TABLE doc (n serial, expected text, stats jsonb);
INSERT INTO doc (expected, stats) VALUES
	-- keys that several libraries have
	('sequelize_pool', '{"size": 3, "available": 1, "using": 2, "waiting": 0, "max_size": 3}'),
	('deadpool', '{"size": 3, "available": 1, "waiting": 0, "max_size": 3}'),
	('activerecord', '{"size": 3, "connections": 3, "busy": 1, "dead": 0, "idle": 2, "waiting": 0}'),
	('sequel', '{"size": 3, "max_size": 3}'),
	('asyncpg', '{"size": 3, "idle_size": 1, "max_size": 3, "min_size": 1}'),
	('sqlx', '{"size": 3, "num_idle": 1}'),
	('sqlalchemy', '{"size": 3, "checkedin": 1, "checkedout": 1}'),
	('native', '{"checked_in": 1, "checked_out": 1, "pool_size": 3}'),
	('native', '{"checkedIn": 1, "checkedOut": 1, "poolSize": 3}'),
	('database_sql', '{"maxopenconnections": 3, "open_connections": 2, "In-Use": 1, "WaitCount": 1}'),
	('tomcat_jdbc', '{"BorrowedCount": 3, "active": 2, "WaitCount": 1}'),
	('tomcat_jdbc', '{"borrowedCount": 3, "numActive": 2, "numIdle": 1, "waitCount": 1}'),
	('dbcp2', '{"borrowedCount": 3, "numActive": 2, "numIdle": 1}'),
	('bb8', '{"connections": 3, "idle_connections": 1, "get_started": 1, "get_direct": 1, "get_waited": 0, "get_timed_out": 0}'),
	('r2d2', '{"connections": 3, "idle_connections": 1}'),
	('hikaricp', '{"activeConnections": 1, "idleConnections": 1, "totalConnections": 2}'),
	('mariadb_j', '{"activeConnections": 1, "idleConnections": 1, "totalConnections": 2, "connectionRequests": 0}'),
	('pgbouncer_pools', '{"database": "a", "user": "b", "cl_waiting": 0, "sv_active": 1, "sv_idle": 2}'),
	('pgdog_pools', '{"database": "a", "user": "b", "cl_waiting": 0, "sv_active": 1, "sv_idle": 2, "sv_idle_xact": 1}'),
	('pgbouncer_stats', '{"database": "a", "total_xact_count": 1, "total_wait_time": 2000}'),
	('pgdog_stats', '{"database": "a", "total_xact_count": 1, "total_wait_time": 2, "total_connect_count": 1}'),
	('pgdog_stats', '{"database": "a", "total_xact_count": 1, "total_wait_time": 2, "shard": 1}'),
	('pgcat_stats', '{"database": "a", "total_xact_count": 1, "total_wait_time": 2000, "instance": "c", "total_errors": 1}'),
	('mysql_pool', '{"pool_name": "a", "pool_size": 1}'),
	('psycopg_pool', '{"pool_min": 1, "pool_max": 2, "pool_size": 1, "pool_available": 1}'),
	-- no dialect has all it is detected by: the one that knows most
	('psycopg_pool', '{"pool_max": 2, "requests_num": 1}'),
	('pgxpool', '{"AcquiredConns": 1, "MaxConns": 2}'),
	('hikaricp', '{"activeConnections": 1}'),
	('native', '{"pool_size": 2}'),
	-- forced
	('native', '{"dialect": "native", "pool_size": 2}'),
	('psycopg_pool', '{"dialect": "psycopg_pool", "pool_size": 2}'),
	('db_connection', '{"dialect": "db_connection", "pool_size": 2}'),
	('r2d2', '{"dialect": "r2d2", "connections": 3, "idle_connections": 1}');
SELECT bool_and(pgpool_stats.report('d' || n, stats, 'i')) AS all_taken FROM doc;
SELECT d.n, d.expected, i.dialect, d.stats
FROM doc d LEFT JOIN pgpool_stats.instances i ON i.pool = 'd' || d.n
WHERE i.dialect IS DISTINCT FROM d.expected;
SELECT d.expected, i.total_wait_time FROM doc d JOIN pgpool_stats.instances i ON i.pool = 'd' || d.n
WHERE i.total_wait_time IS NOT NULL AND d.expected ~ 'stats$' ORDER BY d.n;
-- nothing of it is known to the dialect that is forced
SELECT pgpool_stats.report('d', '{"dialect": "r2d2", "open": 3}');

-- durations in every form, as milliseconds
CREATE TEMP TABLE duration (n serial, value jsonb);
INSERT INTO duration (value) VALUES
	('1'), ('1.5'), ('"1.5"'), ('1e-3'), ('0'), ('"PT1.5S"'), ('"PT1M30S"'), ('"PT2H"'), ('"P1DT1S"'),
	('"00:00:01.5"'), ('"1.02:03:04.5000000"'), ('{"secs": 1, "nanos": 5000}'), ('{"nanos": 1200000, "secs": "0"}'),
	('"100.5ms"'), ('"1h2m3s"'), ('"250us"'), ('"2ns"'),
	-- these are none
	('"PT"'), ('"P"'), ('"PT-1S"'), ('"-00:00:01"'), ('"1:2"'), ('"1:2:3:4"'), ('"::"'), ('"1..5s"'), ('"5 s"'), ('"1x"'), ('"s"'),
	('{"secs": 1, "more": 2}'), ('{"secs": "x"}'), ('{}'), ('[1]'), ('true'), ('"1e5:00:00"'), ('"9999999999999999999h"'), ('-1');
SET pgpool_stats.strict_reports = off;
SELECT bool_and(pgpool_stats.report('duration', jsonb_build_object('dialect', 'agroal', 'blockingTimeTotal', value, 'activeCount', 1), n::text)) AS all_taken FROM duration;
SELECT d.value, i.total_wait_time, i.unmapped
FROM duration d JOIN pgpool_stats.instances i ON i.pool = 'duration' AND i.instance = d.n::text ORDER BY d.n;

-- half a sum is none; a value that yields; what is not told stays unknown
CREATE TEMP TABLE shape (n serial, stats jsonb);
INSERT INTO shape (stats) VALUES
	('{"cl_waiting": 0, "sv_active": 1, "sv_idle": 1, "sv_used": "x"}'),
	('{"cl_waiting": 0, "sv_active": 2147483647, "sv_idle": 2147483647, "sv_used": 9223372036854775807}'),
	('{"connections": 4, "busy": 1, "dead": -1, "idle": 2}'),
	('{"connections": 4, "idle_connections": 1, "statistics": {"get_started": 5, "more": {"a": 1}}, "rest": [1]}'),
	('{"connections": 4, "idle_connections": {"statistics": 1}}'),
	('{"pool_size": 4, "open": {"checked_out": 1}, "more": {"open": 3}}'),
	('{"maxAllocatedSize": 2147483646, "acquiredSize": 1, "allocatedSize": 1}'),
	('{"MaxOpenConnections": -1, "OpenConnections": 1, "InUse": 1}'),
	('{"totalCount": 3, "idleCount": 4, "waitingCount": 0}'),
	('{"counters": [{"key": "prisma_pool_connections_opened_total", "value": 1}, 7], "gauges": {}, "histograms": null}'),
	('{"hikaricp.connections.max": [[1]], "hikaricp.connections.active": {"a": {"b": {"c": {"d": {"e": 1}}}}}}'),
	('{"db.client.connection.count": {"idle": "many", "lost": 1}}');
SELECT n, pgpool_stats.report('shape', stats, n::text) AS taken FROM shape ORDER BY n;
SELECT instance, dialect, max_size AS max, unlimited AS unlim, open, checked_out AS out, checked_in AS "in", waiting AS wait, unmapped
FROM pgpool_stats.instances i WHERE pool = 'shape' ORDER BY split_part(instance, '/', 1)::int;
-- more keys than anybody has
SELECT pgpool_stats.report('shape', (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 20000) i) || '{"open": 5}', 'many');
SELECT open, left(unmapped::text, 20) AS unmapped FROM pgpool_stats.instances WHERE pool = 'shape' AND instance = 'many';
