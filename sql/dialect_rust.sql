-- Pools of Rust.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('bb8', '{"connections":10,"idle_connections":3,"statistics":{"get_started":5,"get_direct":4,"get_waited":1,"get_timed_out":0,"get_wait_time":{"secs":0,"nanos":1200000},"connections_created":10,"connections_closed_broken":0,"connections_closed_invalid":0,"connections_closed_max_lifetime":0,"connections_closed_idle_timeout":0}}'),
	('bb8 flat', '{"connections":10,"idle_connections":0,"get_started":9,"get_direct":4,"get_waited":1,"get_timed_out":1,"get_wait_time":1200}'),
	('bb8 without a part', '{"connections":10,"idle_connections":0,"get_started":9,"get_direct":4,"get_waited":1}'),
	('r2d2', '{"connections":10,"idle_connections":3}'),
	('deadpool', '{"max_size":8,"size":5,"available":2,"waiting":0}'),
	('deadpool waiting', '{"max_size":8,"size":8,"available":-3,"waiting":3}'),
	('sqlx', '{"size":5,"num_idle":2,"max_connections":10}');
SELECT bool_and(pgpool_stats.report('rust', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'rust' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'rust' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";
