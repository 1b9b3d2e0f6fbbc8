-- Backslash, quote and newline are all that the format wants escaped.
CREATE FUNCTION pgpool_stats.openmetrics(app_names boolean DEFAULT false)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH sample AS (
		SELECT name, type, help, labels, value
		FROM pgpool_stats.metrics
		UNION ALL
		SELECT a.name, type, a.help,
			   labels - 'state'::text || '{"exporter": "pgpool_stats"}'::jsonb, value
		FROM pgpool_stats.metrics AS m JOIN (VALUES
			('pgpool_stats_pool_size', '{}'::jsonb, 'db_pool_size', 'Connections the pool may open without overflow.'),
			('pgpool_stats_client_connections', '{"state": "used"}', 'db_pool_checked_out', 'Connections lent to the application.'),
			('pgpool_stats_overflow_connections', '{}', 'db_pool_overflow', 'Connections the pool has open above its size.')
		) AS a (metric, which, name, help)
			ON a.metric = m.name AND m.labels @> a.which
		WHERE openmetrics.app_names
	), line AS (
		SELECT name, type, help,
			   pg_catalog.format('%s%s %s', name,
				   (SELECT '{' || pg_catalog.string_agg(
						pg_catalog.format('%s="%s"', key,
							pg_catalog.replace(
								pg_catalog.replace(
									pg_catalog.replace(l.value, '\', '\\'),
									'"', '\"'),
								E'\n', '\n')), ',') || '}'
					FROM pg_catalog.jsonb_each_text(labels) AS l (key, value)),
				   value) AS text
		FROM sample
	), family AS (
		SELECT pg_catalog.format(E'# HELP %s %s\n# TYPE %s %s\n%s\n',
								 name, help, name, type,
								 pg_catalog.string_agg(text, E'\n' ORDER BY text COLLATE "C")) AS text
		FROM line
		GROUP BY name, help, type
	)
	SELECT pg_catalog.string_agg(text, '' ORDER BY text COLLATE "C") || E'# EOF\n'
	FROM family;
END;
COMMENT ON FUNCTION pgpool_stats.openmetrics(boolean) IS
	'metrics as text that Prometheus reads';
