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
	rejected_logins bigint,
	rejected_unavailable bigint,
	sessions_abandoned bigint,
	sessions_fatal bigint,
	sessions_killed bigint,
	xacts bigint,
	total_xact_time float8,
	sessions float8,
	cpu float8,
	io float8,
	lock float8,
	lwlock float8,
	client float8,
	other float8,
	idle_in_xact float8,
	cause text,
	cpu_time float8,
	wal_bytes bigint
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
COMMENT ON COLUMN pgpool_stats.history.bucket_start IS 'Start of the period';
COMMENT ON COLUMN pgpool_stats.history.bucket IS 'Length of it: 1 min (last hour), 10 min (last day)';
COMMENT ON COLUMN pgpool_stats.history.instances IS 'Most live instances at once';
COMMENT ON COLUMN pgpool_stats.history.min_connections IS 'Fewest connections it held';
COMMENT ON COLUMN pgpool_stats.history.max_connections IS 'Most connections it held';
COMMENT ON COLUMN pgpool_stats.history.min_checked_out IS 'Fewest connections lent out';
COMMENT ON COLUMN pgpool_stats.history.max_checked_out IS 'Most connections lent out';
COMMENT ON COLUMN pgpool_stats.history.max_in_xact IS 'Most connections in a transaction';
COMMENT ON COLUMN pgpool_stats.history.max_waiting IS 'Most callers waiting';
COMMENT ON COLUMN pgpool_stats.history.max_used_pct IS 'Highest percentage used of the fullest instance';
COMMENT ON COLUMN pgpool_stats.history.checkouts IS 'Checkouts in the period';
COMMENT ON COLUMN pgpool_stats.history.waits IS 'Checkouts that had to wait';
COMMENT ON COLUMN pgpool_stats.history.total_wait_time IS 'Time they waited in total, ms';
COMMENT ON COLUMN pgpool_stats.history.timeouts IS 'Checkouts that timed out';
COMMENT ON COLUMN pgpool_stats.history.errors IS 'Other failed checkouts and connects';
COMMENT ON COLUMN pgpool_stats.history.connects IS 'New connections';
COMMENT ON COLUMN pgpool_stats.history.rejected IS 'Connections rejected by a limit';
COMMENT ON COLUMN pgpool_stats.history.rejected_logins IS 'Logins rejected: password, pg_hba.conf, names ...';
COMMENT ON COLUMN pgpool_stats.history.rejected_unavailable IS 'Rejected because the server starts or stops';
COMMENT ON COLUMN pgpool_stats.history.sessions_abandoned IS 'Connections whose client was cut off';
COMMENT ON COLUMN pgpool_stats.history.sessions_fatal IS 'Connections ended by an error';
COMMENT ON COLUMN pgpool_stats.history.sessions_killed IS 'Connections that were terminated';
COMMENT ON COLUMN pgpool_stats.history.xacts IS 'Transactions that ended';
COMMENT ON COLUMN pgpool_stats.history.total_xact_time IS 'Time they took in total, ms';
COMMENT ON COLUMN pgpool_stats.history.sessions IS 'Connections in a transaction, on average';
COMMENT ON COLUMN pgpool_stats.history.cpu IS 'Of those, on the CPU or waiting for one';
COMMENT ON COLUMN pgpool_stats.history.io IS 'Of those, reading or writing';
COMMENT ON COLUMN pgpool_stats.history.lock IS 'Of those, waiting for a lock';
COMMENT ON COLUMN pgpool_stats.history.lwlock IS 'Of those, waiting for a lock inside the server';
COMMENT ON COLUMN pgpool_stats.history.client IS 'Of those, waiting for the client to read or send';
COMMENT ON COLUMN pgpool_stats.history.other IS 'Of those, waiting for anything else';
COMMENT ON COLUMN pgpool_stats.history.idle_in_xact IS 'Of those, idle: the client did something else';
COMMENT ON COLUMN pgpool_stats.history.cause IS 'What held them up last; null = nothing, or not known';
COMMENT ON COLUMN pgpool_stats.history.cpu_time IS 'CPU time its sessions used, ms';
COMMENT ON COLUMN pgpool_stats.history.wal_bytes IS 'WAL its sessions wrote';
