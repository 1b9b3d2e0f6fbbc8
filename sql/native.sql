-- Our own key names.
SET pgpool_stats.strict_reports = on;

SELECT pgpool_stats.report('native', '{
	"pool_size": 5, "max_overflow": 10, "min_size": 1, "open": 7,
	"checked_out": 6, "checked_in": 1, "overflow": 2, "waiting": 0,
	"max_wait": 1.5, "checkouts": 100, "waits": 4, "total_wait_time": 50.25,
	"timeouts": 1, "errors": 2, "total_use_time": 1234.5,
	"host": "web-1", "pid": 4711, "app_version": "2.41.0"}');
\x
SELECT pool, instance, datname = current_database() AS datname, usename = session_user AS usename,
	source, via, status, dialect, app_version,
	pool_size, max_overflow, max_size, unlimited, min_size, open, checked_out, checked_in,
	overflow, waiting, max_wait, used_pct, as_of = last_report AS as_of, unmapped, notes
FROM pgpool_stats.instances WHERE pool = 'native';
SELECT checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors,
	last_report = first_seen AS first, report_interval
FROM pgpool_stats.instances WHERE pool = 'native';
SELECT source, status, instances, config, pool_size, max_overflow, max_size, unlimited, open,
	checked_out, checked_in, overflow, waiting, max_wait, used_pct, fullest_pct, fullest_instance,
	exhausted_instances, silent_instances, gone_instances, reporting
FROM pgpool_stats.pools WHERE pool = 'native';
\x

-- case and punctuation of keys do not matter; null is not told
SELECT pgpool_stats.report('folded', '{"poolSize": 3, "CheckedOut": 1, "checked-in": 0, "waiting": null}', 'a');
SELECT pool_size, max_overflow, max_size, open, checked_out, checked_in, overflow, waiting, dialect
FROM pgpool_stats.instances WHERE pool = 'folded';

-- what is not told is worked out where it follows, and else unknown
SELECT pgpool_stats.report('derived', '{"max_size": 10, "open": 4, "checked_in": 3}', 'a');
SELECT pool_size, max_overflow, max_size, unlimited, open, checked_out, checked_in, overflow, waiting, checkouts
FROM pgpool_stats.instances WHERE pool = 'derived';
SELECT pgpool_stats.report('derived', '{"pool_size": 4, "max_overflow": 2, "checked_out": 5}', 'b');
SELECT pool_size, max_overflow, max_size, unlimited, open, checked_out, checked_in, overflow
FROM pgpool_stats.instances WHERE pool = 'derived' AND instance = 'b';

-- configuration holds until told otherwise, gauges are told all together
SELECT pgpool_stats.report('derived', '{"checked_out": 1}', 'b');
SELECT pool_size, max_overflow, max_size, open, checked_out, checked_in, waiting
FROM pgpool_stats.instances WHERE pool = 'derived' AND instance = 'b';
SELECT pgpool_stats.report('derived', '{"pool_size": 6}', 'b');
SELECT pool_size, max_overflow, max_size, open, checked_out
FROM pgpool_stats.instances WHERE pool = 'derived' AND instance = 'b';

-- unlimited is a flag and no number
SELECT pgpool_stats.report('endless', '{"pool_size": 5, "max_overflow": -1, "checked_out": 9}', 'a');
SELECT pgpool_stats.report('endless', '{"unlimited": true, "checked_out": 2}', 'b');
SELECT pgpool_stats.report('endless', '{"max_size": -1, "checked_out": 1}', 'c');
SELECT instance, pool_size, max_overflow, max_size, unlimited, checked_out, used_pct
FROM pgpool_stats.instances WHERE pool = 'endless' ORDER BY instance COLLATE "C";
SELECT config, pool_size, max_size, unlimited, checked_out, used_pct, fullest_pct
FROM pgpool_stats.pools WHERE pool = 'endless';

-- numbers as text, whole numbers in any form
SELECT pgpool_stats.report('texts', '{"pool_size": "5", "checked_out": 2.0, "checkouts": 1e3, "total_wait_time": "12.5"}', 'a');
SELECT pool_size, checked_out, checkouts, total_wait_time, mean_wait_time
FROM pgpool_stats.instances WHERE pool = 'texts';

-- the largest there are
SELECT pgpool_stats.report('largest', '{"pool_size": 2147483647, "checkouts": 9223372036854775807}', 'a');
SELECT pgpool_stats.report('largest', '{"pool_size": 2147483647, "checkouts": 9223372036854775807}', 'b');
SELECT pool_size, checkouts FROM pgpool_stats.pools WHERE pool = 'largest';

-- several instances in one report
SELECT pgpool_stats.report('batch', '[{"instance": "a", "checked_out": 1}, {"host": "h", "pid": 2, "checked_out": 2}]');
SELECT instance, checked_out FROM pgpool_stats.instances WHERE pool = 'batch' ORDER BY instance COLLATE "C";

-- a dialect can be forced
SELECT pgpool_stats.report('forced', '{"dialect": "psycopg2", "used": 2, "idle": 1}', 'a');
SELECT dialect, open, checked_out, checked_in FROM pgpool_stats.instances WHERE pool = 'forced';
