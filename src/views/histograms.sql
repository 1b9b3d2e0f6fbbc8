CREATE FUNCTION pgpool_stats.get_connect_times()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	part text,
	le float8,
	count bigint,
	total_time float8
)
AS 'MODULE_PATHNAME', 'pgps_get_connect_times'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_connect_times() IS
	'behind the view metrics_histograms';

CREATE FUNCTION pgpool_stats.get_xact_times()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	part text,
	le float8,
	count bigint,
	total_time float8
)
AS 'MODULE_PATHNAME', 'pgps_get_xact_times'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_xact_times() IS
	'behind the view metrics_histograms';

-- A dropped and a new role or database of one name are one series, as in metrics.
CREATE VIEW pgpool_stats.metrics_histograms AS
	SELECT m.name,
		   'histogram'::text AS type,
		   m.help,
		   pg_catalog.jsonb_build_object('pool', t.pool, 'datname', t.datname, 'usename', t.usename) AS labels,
		   t.le,
		   pg_catalog.sum(t.count)::bigint AS count,
		   pg_catalog.sum(t.total_time) / 1000::float8 AS sum
	FROM (SELECT * FROM pgpool_stats.get_connect_times()
		  UNION ALL
		  SELECT * FROM pgpool_stats.get_xact_times()) AS t JOIN (VALUES
		('connect', 'pgpool_stats_connect_seconds', 'Time to make a connection, as the server sees it.'),
		('authentication', 'pgpool_stats_authentication_seconds', 'The part of it until the connection was authenticated.'),
		('transaction', 'pgpool_stats_transaction_duration_seconds', 'How long transactions took.')
	) AS m (part, name, help) USING (part)
	GROUP BY m.name, m.help, t.pool, t.datname, t.usename, t.le;
GRANT SELECT ON pgpool_stats.metrics_histograms TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics_histograms IS
	'How long connects, transactions took: 12 rows each';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.name IS 'Name as used by Prometheus';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.type IS 'histogram';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.labels IS 'What it is about: pool, database, role';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.le IS 'A limit, s; the last is Infinity';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.count IS 'How many took no longer, of all there were';
COMMENT ON COLUMN pgpool_stats.metrics_histograms.sum IS 'Time of all, s; the same in all its rows';
