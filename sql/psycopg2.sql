-- psycopg2.pool has no statistics of its own; by hand: minconn, maxconn,
-- len(_pool), len(_used) and _keys.
SET pgpool_stats.strict_reports = on;

SELECT pgpool_stats.report('psycopg2', '{"minconn": 1, "maxconn": 3, "idle": 1, "used": 0, "keys": 0}', '1 empty');
SELECT pgpool_stats.report('psycopg2', '{"minconn": 1, "maxconn": 3, "idle": 0, "used": 2, "keys": 2}', '2 partly');
SELECT pgpool_stats.report('psycopg2', '{"minconn": 1, "maxconn": 3, "idle": 0, "used": 3, "closed": false}', '3 full');

SELECT instance, status, min_size, pool_size, max_overflow, max_size, unlimited, open,
	checked_out AS out, checked_in AS "in", overflow AS over, waiting, checkouts, used_pct
FROM pgpool_stats.instances WHERE pool = 'psycopg2' ORDER BY instance COLLATE "C";
SELECT DISTINCT dialect, timeouts, errors, waits, unmapped FROM pgpool_stats.instances WHERE pool = 'psycopg2';
