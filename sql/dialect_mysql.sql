-- Pools that an application keeps to other databases.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('mysql connector', '{"pool_name":"shop","pool_size":5}'),
	('mysql connector by hand', '{"pool_name":"shop","pool_size":5,"idle":3,"used":2}'),
	('mariadb connector', '{"pool_name":"shop","pool_size":5,"max_size":64,"connection_count":5}');
SELECT bool_and(pgpool_stats.report('mysql', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'mysql' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'mysql' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";

-- it does not take the connection it is reported on
SELECT pgpool_stats.report('mysql', '{"pool_name":"shop","pool_size":5}', 'mysql connector');
SELECT sum(connections) AS connections FROM pgpool_stats.instances WHERE pool = 'mysql';
SELECT pgpool_stats.report('ours', '{"size": 1, "min_size": 1, "max_size": 2, "idle_size": 1}', 'a');
SELECT pgpool_stats.report('mysql', '{"pool_name":"shop","pool_size":5}', 'mysql connector');
SELECT pool, connections FROM pgpool_stats.instances WHERE pool IN ('ours', 'mysql') AND connections > 0;
SELECT pgpool_stats.forget('ours', 'a');
