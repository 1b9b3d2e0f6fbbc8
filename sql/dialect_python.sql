-- Pools of Python: the documents as captured, and what they come to.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('psycopg_pool new', '{"pool_min": 2, "pool_max": 3, "pool_size": 2, "pool_available": 0, "requests_waiting": 0}'),
	('psycopg_pool ready', '{"connections_num": 2, "connections_ms": 7, "pool_min": 2, "pool_max": 3, "pool_size": 2, "pool_available": 2, "requests_waiting": 0}'),
	('psycopg_pool exhausted', '{"connections_num": 3, "connections_ms": 10, "requests_num": 6, "usage_ms": 50, "requests_queued": 2, "requests_wait_ms": 303, "requests_errors": 1, "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 1}'),
	('psycopg_pool after pop', '{"pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 3, "requests_waiting": 0}'),
	('psycopg_pool closed', '{"pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0}'),
	('psycopg_pool db down', '{"connections_num": 3, "connections_errors": 3, "pool_min": 3, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0}'),
	('psycopg_pool null', '{"requests_num": 1, "connections_num": 1, "connections_ms": 2, "pool_min": 0, "pool_max": 0, "pool_size": 1, "pool_available": 0, "requests_waiting": 0}'),
	('psycopg2', '{"minconn": 1, "maxconn": 3, "idle": 0, "used": 2, "keys": 2}'),
	('sqlalchemy fresh', '{"size": 2, "checkedin": 0, "checkedout": 0, "overflow": -2, "max_overflow": 1}'),
	('sqlalchemy full', '{"size": 2, "checkedin": 0, "checkedout": 3, "overflow": 1, "max_overflow": 1}'),
	('sqlalchemy status', '"Pool size: 2  Connections in pool: 0 Current Overflow: -2 Current Checked out connections: 0"'),
	('sqlalchemy size 0 1.4', '{"size": 0, "checkedin": 0, "checkedout": 1, "overflow": 1, "max_overflow": 10}'),
	('sqlalchemy size 0 2.0', '{"size": 0, "checkedin": 0, "checkedout": 1, "overflow": 0, "max_overflow": -1}'),
	('sqlalchemy null', '"NullPool"'),
	('sqlalchemy static', '"StaticPool"'),
	('sqlalchemy single', '"SingletonThreadPool id:140507462302352 size: 1"'),
	('asyncpg', '{"size": 1, "min_size": 1, "max_size": 2, "idle_size": 1}'),
	('asyncpg getters', '{"get_size": 2, "get_min_size": 1, "get_max_size": 2, "get_idle_size": 0}');
SELECT bool_and(pgpool_stats.report('python', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'python' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'python' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";
