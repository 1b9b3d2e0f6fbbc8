-- Health of an instance and of a pool.
SELECT pgpool_stats.report('status', s::jsonb, i) FROM (VALUES
	('1 ok', '{"max_size": 4, "checked_out": 3, "waiting": 0}'),
	('2 full: nobody waits', '{"max_size": 4, "checked_out": 4, "waiting": 0}'),
	('3 waiting', '{"max_size": 4, "checked_out": 3, "waiting": 2}'),
	('4 exhausted: callers wait', '{"max_size": 4, "checked_out": 4, "waiting": 2}'),
	('5 exhausted: unknown', '{"max_size": 4, "checked_out": 4}'),
	('6 overflow is part of the cap', '{"pool_size": 4, "max_overflow": 2, "checked_out": 5}'),
	('7 above the cap', '{"max_size": 4, "checked_out": 5, "waiting": 0}'),
	('8 no cap known', '{"checked_out": 5}'),
	('9 no cap', '{"checked_out": 500, "unlimited": true}'),
	('a cap of 0', '{"max_size": 0, "checked_out": 0}'),
	('b nothing known', '{"checkouts": 1}')) AS t(i, s);
SELECT instance, status, used_pct FROM pgpool_stats.instances WHERE pool = 'status' ORDER BY instance COLLATE "C";

-- since when: a report that changes nothing does not change it
SELECT status_since AS since FROM pgpool_stats.instances WHERE pool = 'status' AND instance = '1 ok' \gset
SELECT pgpool_stats.report('status', '{"max_size": 4, "checked_out": 2, "waiting": 0}', '1 ok');
SELECT status, status_since = :'since' AS same FROM pgpool_stats.instances WHERE pool = 'status' AND instance = '1 ok';
SELECT pgpool_stats.report('status', '{"max_size": 4, "checked_out": 4, "waiting": 1}', '1 ok');
SELECT status, status_since > :'since' AS later, status_since = last_report AS by_report
FROM pgpool_stats.instances WHERE pool = 'status' AND instance = '1 ok';

-- a pool is as ill as its worst instance, however empty the others are
SELECT pgpool_stats.report('rollup', '{"pool_size": 5, "max_overflow": 10, "checked_out": 15}', 'starved');
SELECT pgpool_stats.report('rollup', '{"pool_size": 5, "max_overflow": 10, "checked_out": 0, "checked_in": 1}', 'idle-' || n)
FROM generate_series(1, 5) n;
SELECT pgpool_stats.report('rollup', '{"pool_size": 20, "checked_out": 1, "waiting": 3, "max_wait": 250}', 'other');
\x
SELECT status, status_since = (SELECT status_since FROM pgpool_stats.instances WHERE pool = 'rollup' AND instance = 'starved') AS since,
	instances, config, max_size, checked_out, waiting, max_wait, used_pct, fullest_pct, fullest_instance,
	exhausted_instances, reporting
FROM pgpool_stats.pools WHERE pool = 'rollup';
\x
-- a gauge is the sum of those that report it; the cap only when all are known
SELECT pgpool_stats.report('rollup', '{"checked_out": 2}', 'capless');
SELECT max_size, used_pct, checked_out, checked_in, waiting, fullest_pct FROM pgpool_stats.pools WHERE pool = 'rollup';

-- the median of the last five intervals is the habit of an instance
SELECT pgpool_stats.report('habit', '{"open": 1}', 'a') FROM generate_series(1, 3);
SELECT report_interval >= 0 AS reported FROM pgpool_stats.instances WHERE pool = 'habit';
