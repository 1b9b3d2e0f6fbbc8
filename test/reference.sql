-- Writes docs/reference.md from the COMMENTs and the settings.
WITH view AS (
	SELECT row_number() OVER (ORDER BY array_position(
			'{overview,alerts,incidents,pools,instances,chains,leaks,budget,limits,load,top_queries,connections,sessions,disconnects,usage,history,rejections,sizing,rules,silences,poolers,dialects,metrics,metrics_instances,metrics_histograms,info}',
			relname::text), relname) AS rank, relname AS name
	FROM pg_class WHERE relkind = 'v' AND relnamespace = 'pgpool_stats'::regnamespace
), doc(n, sub, line) AS (
	VALUES (0, 0, '# Reference'),
		(0, 1, ''),
		(0, 2, 'Written from the comments in the database by test/reference.sql; `\d+ pgpool_stats.pools` says the same.'),
		(0, 3, ''),
		(1, 0, '## Settings'),
		(1, 1, ''),
		(1, 2, '| setting | default | set by | what |'),
		(1, 3, '|---|---|---|---|')
	UNION ALL
	SELECT 2, row_number() OVER (ORDER BY context DESC, name COLLATE "C"),
		format('| `%s` | %s | %s | %s%s |', name,
			CASE WHEN boot_val = '' THEN 'empty'
				WHEN coalesce(unit, '') = 's' AND boot_val::int % 3600 = 0 THEN boot_val::int / 3600 || ' h'
				WHEN coalesce(unit, '') = 's' AND boot_val::int % 60 = 0 THEN boot_val::int / 60 || ' min'
				WHEN coalesce(unit, '') = 'ms' AND boot_val::int % 1000 <> 0 THEN boot_val || ' ms'
				WHEN coalesce(unit, '') = 'ms' THEN boot_val::int / 1000 || ' s'
				ELSE boot_val END,
			CASE context WHEN 'postmaster' THEN 'server start' WHEN 'sighup' THEN 'reload' ELSE 'anybody' END,
			short_desc, ' ' || extra_desc)
	FROM pg_settings WHERE name LIKE 'pgpool\_stats.%'
	UNION ALL
	SELECT 3, 0, ''
	UNION ALL
	VALUES (4, 0, '## Functions'), (4, 1, ''), (4, 2, '| function | what |'), (4, 3, '|---|---|')
	UNION ALL
	SELECT 5, row_number() OVER (ORDER BY proname COLLATE "C"),
		format('| `%s(%s)` | %s |', proname, pg_get_function_arguments(oid), obj_description(oid))
	FROM pg_proc WHERE pronamespace = 'pgpool_stats'::regnamespace AND proname NOT LIKE 'get\_%'
	UNION ALL
	SELECT v.rank * 10, 0, l.line
	FROM view AS v,
		LATERAL (SELECT E'\n## View ' || v.name || ': ' || obj_description(('pgpool_stats.' || v.name)::regclass)
			|| E'\n\n| column | type | what |\n|---|---|---|') AS l(line)
	UNION ALL
	SELECT v.rank * 10, a.attnum,
		format('| `%s` | %s | %s |', a.attname,
			replace(replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'),
				'double precision', 'float8'),
			col_description(a.attrelid, a.attnum))
	FROM view AS v
		JOIN pg_attribute a ON a.attrelid = ('pgpool_stats.' || v.name)::regclass AND a.attnum > 0
)
SELECT line FROM doc ORDER BY n, sub;
