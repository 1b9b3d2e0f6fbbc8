-- A report in our own key names, as each view has it.
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

-- unlimited is a flag and no number
SELECT pgpool_stats.report('endless', '{"pool_size": 5, "max_overflow": -1, "checked_out": 9}', 'a');
SELECT pgpool_stats.report('endless', '{"unlimited": true, "checked_out": 2}', 'b');
SELECT pgpool_stats.report('endless', '{"max_size": -1, "checked_out": 1}', 'c');
SELECT instance, pool_size, max_overflow, max_size, unlimited, checked_out, used_pct
FROM pgpool_stats.instances WHERE pool = 'endless' ORDER BY instance COLLATE "C";
SELECT config, pool_size, max_size, unlimited, checked_out, used_pct, fullest_pct
FROM pgpool_stats.pools WHERE pool = 'endless';

-- the largest there are
SELECT pgpool_stats.report('largest', '{"pool_size": 2147483647, "checkouts": 9223372036854775807}', 'a');
SELECT pgpool_stats.report('largest', '{"pool_size": 2147483647, "checkouts": 9223372036854775807}', 'b');
SELECT pool_size, checkouts FROM pgpool_stats.pools WHERE pool = 'largest';

-- several instances in one report
SELECT pgpool_stats.report('batch', '[{"instance": "a", "checked_out": 1}, {"host": "h", "pid": 2, "checked_out": 2}]');
SELECT instance, checked_out FROM pgpool_stats.instances WHERE pool = 'batch' ORDER BY instance COLLATE "C";
