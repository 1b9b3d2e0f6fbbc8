--
-- What exporters read, as text.  Backslash, quote and newline are all that both
-- formats want escaped in labels.  They differ in two things: to OpenMetrics, _total
-- belongs to the samples of a counter and not to its name, and "# EOF" ends the
-- text, which has to have exactly one newline behind it.  psql adds that one, so
-- it is not here.
--
CREATE FUNCTION pgpool_stats.get_metrics_text(openmetrics boolean, app_names boolean)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH sample AS (
		SELECT name, type, help, '' AS suffix, labels, NULL::float8 AS le, value
		FROM pgpool_stats.metrics
		UNION ALL
		SELECT a.name, type, a.help, '',
			   labels - 'state'::text || '{"exporter": "pgpool_stats"}'::jsonb, NULL, value
		FROM pgpool_stats.metrics AS m JOIN (VALUES
			('pgpool_stats_pool_size', '{}'::jsonb, 'db_pool_size', 'Connections the pool may open without overflow.'),
			('pgpool_stats_client_connections', '{"state": "used"}', 'db_pool_checked_out', 'Connections lent to the application.'),
			('pgpool_stats_overflow_connections', '{}', 'db_pool_overflow', 'Connections the pool has open above its size.')
		) AS a (metric, which, name, help)
			ON a.metric = m.name AND m.labels @> a.which
		WHERE get_metrics_text.app_names
		UNION ALL
		SELECT name, type, help, s.suffix, labels, s.le, s.value
		FROM pgpool_stats.metrics_histograms AS h CROSS JOIN LATERAL (VALUES
			('_bucket', h.le, h.count::float8),
			('_count', NULL, CASE WHEN h.le = 'Infinity'::float8 THEN h.count::float8 END),
			('_sum', NULL, CASE WHEN h.le = 'Infinity'::float8 THEN h.sum END)
		) AS s (suffix, le, value)
		WHERE s.value IS NOT NULL
	), line AS (
		SELECT CASE WHEN get_metrics_text.openmetrics AND type = 'counter'
					THEN pg_catalog.regexp_replace(name, '_total$', '') ELSE name END AS family,
			   type, help, name, suffix,
			   (SELECT pg_catalog.string_agg(
					pg_catalog.format('%s="%s"', key,
						pg_catalog.replace(
							pg_catalog.replace(
								pg_catalog.replace(l.value, '\', '\\'),
								'"', '\"'),
							E'\n', '\n')), ',')
				FROM pg_catalog.jsonb_each_text(labels) AS l (key, value)) AS labels,
			   le,
			   'le="' || CASE WHEN le = 'Infinity'::float8 THEN '+Inf' ELSE le::text END || '"' AS le_label,
			   value
		FROM sample
	), family AS (
		-- the limits of a histogram have to stand in their order
		SELECT pg_catalog.format(E'# HELP %s %s\n# TYPE %s %s\n%s\n',
								 family, help, family, type,
								 pg_catalog.string_agg(
									pg_catalog.format('%s%s%s %s', name, suffix,
										'{' || nullif(pg_catalog.concat_ws(',', labels, le_label), '') || '}', value),
									E'\n' ORDER BY labels COLLATE "C", le, suffix COLLATE "C")) AS text
		FROM line
		GROUP BY family, help, type
	)
	SELECT pg_catalog.string_agg(text, '' ORDER BY text COLLATE "C") ||
		   CASE WHEN get_metrics_text.openmetrics THEN '# EOF' ELSE '' END
	FROM family;
END;
COMMENT ON FUNCTION pgpool_stats.get_metrics_text(boolean, boolean) IS
	'behind openmetrics and prometheus';

CREATE FUNCTION pgpool_stats.openmetrics(app_names boolean DEFAULT false)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
RETURN pgpool_stats.get_metrics_text(true, app_names);
COMMENT ON FUNCTION pgpool_stats.openmetrics(boolean) IS
	'metrics as OpenMetrics; psql adds the last newline';

CREATE FUNCTION pgpool_stats.prometheus(app_names boolean DEFAULT false)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
RETURN pgpool_stats.get_metrics_text(false, app_names);
COMMENT ON FUNCTION pgpool_stats.prometheus(boolean) IS
	'metrics as text that Prometheus reads';
