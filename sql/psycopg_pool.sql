-- psycopg 3: ConnectionPool.get_stats(), as captured from real pools.
SET pgpool_stats.strict_reports = on;

SELECT pgpool_stats.report('psycopg_pool', '{"pool_min": 2, "pool_max": 3, "pool_size": 2, "pool_available": 0, "requests_waiting": 0}', '1 new');
SELECT pgpool_stats.report('psycopg_pool', '{"connections_num": 2, "connections_ms": 7, "pool_min": 2, "pool_max": 3, "pool_size": 2, "pool_available": 2, "requests_waiting": 0}', '2 ready');
SELECT pgpool_stats.report('psycopg_pool', '{"connections_num": 3, "connections_ms": 10, "requests_num": 6, "usage_ms": 50, "requests_queued": 2, "requests_wait_ms": 303, "requests_errors": 1, "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 1}', '3 exhausted');
SELECT pgpool_stats.report('psycopg_pool', '{"pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 3, "requests_waiting": 0}', '4 after pop');
SELECT pgpool_stats.report('psycopg_pool', '{"pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0}', '5 closed');
SELECT pgpool_stats.report('psycopg_pool', '{"connections_num": 3, "connections_errors": 3, "pool_min": 3, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0}', '6 db down');
SELECT pgpool_stats.report('psycopg_pool', '{"requests_num": 1, "connections_num": 1, "connections_ms": 2, "pool_min": 0, "pool_max": 0, "pool_size": 1, "pool_available": 0, "requests_waiting": 0}', '7 null pool');
SELECT pgpool_stats.report('psycopg_pool', '{"connections_num": 3, "requests_num": 6, "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 0, "requests_waiting": 0}', '8 full');

SELECT instance, status, min_size, pool_size, max_size, unlimited, open, checked_out AS out,
	checked_in AS "in", overflow AS over, waiting
FROM pgpool_stats.instances WHERE pool = 'psycopg_pool' ORDER BY instance COLLATE "C";

-- a counter that is left out is 0, and the mean is over those that waited
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors
FROM pgpool_stats.instances WHERE pool = 'psycopg_pool' ORDER BY instance COLLATE "C";
SELECT DISTINCT dialect, unmapped FROM pgpool_stats.instances WHERE pool = 'psycopg_pool';

-- pop_stats() starts the counters again: ours go on
SELECT pgpool_stats.report('popped', '{"requests_num": 10, "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 3}', 'a');
SELECT pgpool_stats.report('popped', '{"pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 3}', 'a');
SELECT pgpool_stats.report('popped', '{"requests_num": 4, "pool_min": 2, "pool_max": 3, "pool_size": 3, "pool_available": 3}', 'a');
SELECT checkouts FROM pgpool_stats.instances WHERE pool = 'popped';
