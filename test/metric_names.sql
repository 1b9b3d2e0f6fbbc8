-- Makes metric_names: all figures that there may be in the view metrics.  Of pools,
-- those are there that are known: a pool that has all of them is reported.
\set QUIET on
SET pgpool_stats.instance = 'metrics';
SET pgpool_stats.pool = 'metrics';
SELECT pgpool_stats.report('metrics', '{"pool_size": 1, "max_overflow": 1, "open": 1, "checked_out": 1, "waiting": 0, "max_wait": 0,
	"checkouts": 1, "waits": 1, "total_wait_time": 1, "timeouts": 0, "errors": 0}', 'metrics') \g /dev/null
-- its memory is looked at within some passes
DO $$
BEGIN
	FOR i IN 1 .. 600 LOOP
		EXIT WHEN (SELECT memory_sampled > 0 FROM pgpool_stats.usage WHERE pool = 'metrics');
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
CREATE TEMP TABLE metric_names AS
	SELECT name, CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type, help
	FROM (SELECT name, help FROM pgpool_stats.metrics
		UNION
		SELECT m[1], replace(m[2], '''''', '''')
		FROM regexp_matches(pg_get_viewdef('pgpool_stats.metrics'),
			$$'(pgpool_stats_\w+)'::text[^,']*,\s*'((?:[^']|'')+)'::text$$, 'g') AS m) AS metric (name, help);
SELECT pgpool_stats.forget('metrics', 'metrics') \g /dev/null
