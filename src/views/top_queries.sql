CREATE FUNCTION pgpool_stats.get_top_queries()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	queryid bigint,
	active_time float8,
	idle_in_xact_time float8,
	share float8,
	waits text,
	sampled_since timestamptz
)
AS 'MODULE_PATHNAME', 'pgps_get_top_queries'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_top_queries() IS
	'behind the view top_queries';

CREATE VIEW pgpool_stats.top_queries AS
	SELECT * FROM pgpool_stats.get_top_queries();
GRANT SELECT ON pgpool_stats.top_queries TO PUBLIC;
COMMENT ON VIEW pgpool_stats.top_queries IS
	'What each pool is busiest with; join pg_stat_statements';
COMMENT ON COLUMN pgpool_stats.top_queries.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.top_queries.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.top_queries.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.top_queries.queryid IS 'As in pg_stat_statements';
COMMENT ON COLUMN pgpool_stats.top_queries.active_time IS 'Time it ran, by samples, ms';
COMMENT ON COLUMN pgpool_stats.top_queries.idle_in_xact_time IS 'Time idle in a transaction after it, by samples, ms';
COMMENT ON COLUMN pgpool_stats.top_queries.share IS 'Both, of all time in transactions of the pool, 0 to 1';
COMMENT ON COLUMN pgpool_stats.top_queries.waits IS 'What it spent most of that on, as in load';
COMMENT ON COLUMN pgpool_stats.top_queries.sampled_since IS 'Since when the pool is sampled';
