CREATE FUNCTION pgpool_stats.get_history()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	bucket_start timestamptz,
	bucket interval,
	instances int,
	min_connections int,
	max_connections int,
	min_checked_out int,
	max_checked_out int,
	max_in_xact int,
	max_waiting int,
	max_used_pct numeric,
	checkouts bigint,
	waits bigint,
	total_wait_time float8,
	timeouts bigint,
	errors bigint,
	connects bigint,
	rejected bigint,
	xacts bigint,
	total_xact_time float8
)
AS 'MODULE_PATHNAME', 'pgps_get_history'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_history() IS
	'behind the view history';

CREATE VIEW pgpool_stats.history AS
	SELECT * FROM pgpool_stats.get_history();
GRANT SELECT ON pgpool_stats.history TO PUBLIC;
COMMENT ON VIEW pgpool_stats.history IS
	'What each pool did in the last hour and day';
COMMENT ON COLUMN pgpool_stats.history.pool IS 'Name of the pool';
COMMENT ON COLUMN pgpool_stats.history.datname IS 'Its database';
COMMENT ON COLUMN pgpool_stats.history.usename IS 'Role it connects as';
COMMENT ON COLUMN pgpool_stats.history.bucket_start IS 'When this piece of time began';
COMMENT ON COLUMN pgpool_stats.history.bucket IS 'How long it is: 1 min (an hour), 10 min (a day)';
COMMENT ON COLUMN pgpool_stats.history.instances IS 'Live instances, the most at once';
COMMENT ON COLUMN pgpool_stats.history.min_connections IS 'Connections it held, at least';
COMMENT ON COLUMN pgpool_stats.history.max_connections IS 'Connections it held, at most';
COMMENT ON COLUMN pgpool_stats.history.min_checked_out IS 'Connections lent out, at least';
COMMENT ON COLUMN pgpool_stats.history.max_checked_out IS 'Connections lent out, at most';
COMMENT ON COLUMN pgpool_stats.history.max_in_xact IS 'Connections in a transaction, at most';
COMMENT ON COLUMN pgpool_stats.history.max_waiting IS 'Callers waiting, at most';
COMMENT ON COLUMN pgpool_stats.history.max_used_pct IS 'Percent used of the fullest instance, at most';
COMMENT ON COLUMN pgpool_stats.history.checkouts IS 'Checkouts in this time';
COMMENT ON COLUMN pgpool_stats.history.waits IS 'Checkouts that had to wait';
COMMENT ON COLUMN pgpool_stats.history.total_wait_time IS 'Time they waited together, ms';
COMMENT ON COLUMN pgpool_stats.history.timeouts IS 'Checkouts that timed out';
COMMENT ON COLUMN pgpool_stats.history.errors IS 'Other failed checkouts and connects';
COMMENT ON COLUMN pgpool_stats.history.connects IS 'New connections';
COMMENT ON COLUMN pgpool_stats.history.rejected IS 'Connections rejected by a limit';
COMMENT ON COLUMN pgpool_stats.history.xacts IS 'Transactions that ended';
COMMENT ON COLUMN pgpool_stats.history.total_xact_time IS 'Time they took together, ms';
