-- Pools of Ruby.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('activerecord', '{"size":3,"connections":3,"busy":1,"dead":2,"idle":0,"waiting":0,"checkout_timeout":0.2}'),
	('activerecord 8.1', '{"size":null,"connections":3,"busy":1,"dead":0,"idle":2,"waiting":0,"checkout_timeout":5}'),
	('activerecord -1', '{"size":-1,"connections":3,"busy":1,"dead":0,"idle":2,"waiting":0,"checkout_timeout":5}'),
	('sequel', '{"size":2,"max_size":4}'),
	('sequel timed_queue', '{"size":4,"max_size":4,"num_waiting":1}');
SELECT bool_and(pgpool_stats.report('ruby', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'ruby' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'ruby' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";
