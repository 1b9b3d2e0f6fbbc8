CREATE FUNCTION pgpool_stats.get_overview()
RETURNS TABLE (
	pool text,
	database text,
	inst int,
	conns int,
	used text,
	fullest text,
	wait text,
	p95_ms text,
	last_hour text,
	status text,
	why text
)
AS 'MODULE_PATHNAME', 'pgps_get_overview'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_overview() IS
	'behind the view overview';

CREATE VIEW pgpool_stats.overview AS
	SELECT * FROM pgpool_stats.get_overview();
GRANT SELECT ON pgpool_stats.overview TO PUBLIC;
COMMENT ON VIEW pgpool_stats.overview IS
	'START HERE: the server and its pools, worst first';
COMMENT ON COLUMN pgpool_stats.overview.pool IS 'Pool; (server) is the whole server';
COMMENT ON COLUMN pgpool_stats.overview.database IS 'Database';
COMMENT ON COLUMN pgpool_stats.overview.inst IS 'Live instances';
COMMENT ON COLUMN pgpool_stats.overview.conns IS 'Connections here now';
COMMENT ON COLUMN pgpool_stats.overview.used IS 'Lent out of the maximum; ? = no known maximum';
COMMENT ON COLUMN pgpool_stats.overview.fullest IS 'Lent out of the maximum in the fullest instance';
COMMENT ON COLUMN pgpool_stats.overview.wait IS 'Callers waiting; - = unknown, 3+ = at least';
COMMENT ON COLUMN pgpool_stats.overview.p95_ms IS '95 of 100 transactions were shorter (last 5 min)';
COMMENT ON COLUMN pgpool_stats.overview.last_hour IS 'Tenths used, a digit per 6 min; * full, - unknown';
COMMENT ON COLUMN pgpool_stats.overview.status IS 'Worst of instances and alerts, and for how long';
COMMENT ON COLUMN pgpool_stats.overview.why IS 'Cause of the worst, and how many it holds up';
