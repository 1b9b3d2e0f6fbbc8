-- What CREATE EXTENSION makes, and that it explains itself.
CREATE EXTENSION pgpool_stats;

SELECT p.oid::regprocedure AS function, pg_get_function_result(p.oid) IS NOT NULL AS ok
FROM pg_proc p WHERE pronamespace = 'pgpool_stats'::regnamespace
	AND proname NOT LIKE 'get\_%'
ORDER BY proname COLLATE "C";

SELECT relname FROM pg_class
WHERE relnamespace = 'pgpool_stats'::regnamespace AND relkind = 'v'
ORDER BY relname COLLATE "C";

-- every view, column and function has a comment of at most 60 characters
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'pgpool_stats'::regnamespace AND c.relkind = 'v'
	AND coalesce(length(col_description(c.oid, a.attnum)), 0) NOT BETWEEN 1 AND 60;
SELECT c.relname
FROM pg_class c
WHERE c.relnamespace = 'pgpool_stats'::regnamespace AND c.relkind = 'v'
	AND coalesce(length(obj_description(c.oid)), 0) NOT BETWEEN 1 AND 60;
SELECT p.oid::regprocedure
FROM pg_proc p
WHERE pronamespace = 'pgpool_stats'::regnamespace
	AND coalesce(length(obj_description(p.oid)), 0) NOT BETWEEN 1 AND 60;
SELECT obj_description('pgpool_stats.overview'::regclass) LIKE 'START HERE%' AS start_here;

-- all of it is ASCII
SELECT count(*) FROM pg_description d
WHERE d.description ~ '[^ -~]'
	AND (d.objoid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgpool_stats'::regnamespace)
		 OR d.objoid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'pgpool_stats'::regnamespace));

-- the columns, in their order
SELECT c.relname, string_agg(a.attname, ', ' ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'pgpool_stats'::regnamespace AND c.relkind = 'v'
GROUP BY c.relname ORDER BY c.relname COLLATE "C" \g (format=unaligned)

-- the settings and who may set them
SELECT name, setting, unit, context FROM pg_settings
WHERE name LIKE 'pgpool\_stats.%' AND name <> 'pgpool_stats.sample_interval'
ORDER BY name COLLATE "C";

SELECT loaded, version, collector_pid IS NOT NULL AS collector, sees_all,
	stats_reset IS NOT NULL AS stats_reset, started_at IS NOT NULL AS started_at
FROM pgpool_stats.info;

-- shared memory and worker carry our name
SELECT name FROM pg_shmem_allocations WHERE name LIKE 'pgpool\_stats %' ORDER BY name COLLATE "C";
SELECT backend_type, datname FROM pg_stat_activity WHERE backend_type = 'pgpool_stats collector';
