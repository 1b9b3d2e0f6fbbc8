CREATE FUNCTION pgpool_stats.get_limits()
RETURNS TABLE (
	entry text,
	pool text,
	datname name,
	usename name,
	max_connections int,
	action text,
	connections int,
	rejected bigint,
	error text,
	notes text
)
AS 'MODULE_PATHNAME', 'pgps_get_limits'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_limits() IS
	'behind the view limits';

CREATE VIEW pgpool_stats.limits AS
	SELECT * FROM pgpool_stats.get_limits();
GRANT SELECT ON pgpool_stats.limits TO PUBLIC;
COMMENT ON VIEW pgpool_stats.limits IS
	'What pool_limits allows, and what the pools have of it';
COMMENT ON COLUMN pgpool_stats.limits.entry IS 'Entry of the setting pool_limits';
COMMENT ON COLUMN pgpool_stats.limits.pool IS 'Pool that it is for; null = none there as yet';
COMMENT ON COLUMN pgpool_stats.limits.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.limits.usename IS 'Role';
COMMENT ON COLUMN pgpool_stats.limits.max_connections IS 'Connections that the pool may have';
COMMENT ON COLUMN pgpool_stats.limits.action IS 'warn or refuse';
COMMENT ON COLUMN pgpool_stats.limits.connections IS 'Connections of the pool that count';
COMMENT ON COLUMN pgpool_stats.limits.rejected IS 'Connections of the pool rejected, by any limit';
COMMENT ON COLUMN pgpool_stats.limits.error IS 'What is wrong with the entry; it has no effect';
COMMENT ON COLUMN pgpool_stats.limits.notes IS 'Where it does not hold, and why';
