-- Pools of Elixir, and PHP-FPM.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('db_connection', '[{"source": "#PID<0.345.0>", "ready_conn_count": 9, "checkout_queue_length": 0}]'),
	('db_connection sized', '{"ready_conn_count": 9, "checkout_queue_length": 2, "pool_size": 10}'),
	('php-fpm', '{"pool":"www","process manager":"dynamic","start time":1787043628,"start since":12842,"accepted conn":1,"listen queue":0,"max listen queue":0,"listen queue len":0,"idle processes":3,"active processes":1,"total processes":4,"max active processes":1,"max children reached":0,"slow requests":0}'),
	('php-fpm sized', '{"pool":"www","listen queue":2,"idle processes":0,"active processes":4,"total processes":4,"pm.max_children":4}');
SELECT bool_and(pgpool_stats.report('elixir_php', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'elixir_php' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'elixir_php' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";
