CREATE FUNCTION pgpool_stats.get_pool_names()
RETURNS TABLE (
	number int,
	pool text,
	datname name,
	usename name,
	instances int
)
AS 'MODULE_PATHNAME', 'pgps_get_pool_names'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION pgpool_stats.get_pool_names() IS
	'the pools, behind the views instances and metrics';

CREATE FUNCTION pgpool_stats.get_instances(pool_number int DEFAULT -1)
RETURNS TABLE (
	instance text,
	source text,
	via text,
	status text,
	status_since timestamptz,
	cause text,
	client_addr inet,
	dialect text,
	app_version text,
	pool_size int,
	max_overflow int,
	max_size int,
	unlimited boolean,
	min_size int,
	open int,
	checked_out int,
	checked_in int,
	overflow int,
	waiting int,
	max_wait float8,
	used_pct numeric,
	as_of timestamptz,
	connections int,
	in_xact int,
	idle_in_xact int,
	unclaimed int,
	peak_in_xact int,
	peak_in_xact_at timestamptz,
	exhausted_count bigint,
	exhausted_time float8,
	checkouts bigint,
	waits bigint,
	total_wait_time float8,
	mean_wait_time float8,
	timeouts bigint,
	errors bigint,
	xacts bigint,
	total_xact_time float8,
	mean_xact_time float8,
	active_time float8,
	idle_in_xact_time float8,
	xact_time_p50 float8,
	xact_time_p95 float8,
	xact_time_p99 float8,
	connects bigint,
	disconnects bigint,
	rejected bigint,
	last_report timestamptz,
	report_interval float8,
	first_seen timestamptz,
	unmapped text[],
	notes text
)
AS 'MODULE_PATHNAME', 'pgps_get_instances'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION pgpool_stats.get_instances(int) IS
	'those of a pool, behind the view instances';

-- a condition on pool, datname or usename is applied to p: what it leaves out
-- is not looked at
CREATE VIEW pgpool_stats.instances AS
	SELECT p.pool, i.instance, p.datname, p.usename, i.source, i.via, i.status,
		   i.status_since, i.cause, i.client_addr, i.dialect, i.app_version,
		   i.pool_size, i.max_overflow, i.max_size, i.unlimited, i.min_size,
		   i.open, i.checked_out, i.checked_in, i.overflow, i.waiting,
		   i.max_wait, i.used_pct, i.as_of, i.connections, i.in_xact,
		   i.idle_in_xact, i.unclaimed, i.peak_in_xact, i.peak_in_xact_at,
		   i.exhausted_count, i.exhausted_time, i.checkouts, i.waits,
		   i.total_wait_time, i.mean_wait_time, i.timeouts, i.errors,
		   i.xacts, i.total_xact_time, i.mean_xact_time, i.active_time,
		   i.idle_in_xact_time, i.xact_time_p50,
		   i.xact_time_p95, i.xact_time_p99, i.connects, i.disconnects,
		   i.rejected, i.last_report, i.report_interval, i.first_seen,
		   i.unmapped, i.notes
	FROM pgpool_stats.get_pool_names() AS p
		CROSS JOIN LATERAL pgpool_stats.get_instances(p.number) AS i
	WHERE p.instances > 0;
GRANT SELECT ON pgpool_stats.instances TO PUBLIC;
COMMENT ON VIEW pgpool_stats.instances IS
	'Instances of the pools: a row for each process';
COMMENT ON COLUMN pgpool_stats.instances.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.instances.instance IS 'Which instance of it: a process, as host:pid';
COMMENT ON COLUMN pgpool_stats.instances.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.instances.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.instances.source IS 'How we know: report, label, discovery, pooler';
COMMENT ON COLUMN pgpool_stats.instances.via IS 'Pooler between the instance and this server';
COMMENT ON COLUMN pgpool_stats.instances.status IS 'stalled, exhausted, waiting, silent, lost, full, ok, gone';
COMMENT ON COLUMN pgpool_stats.instances.status_since IS 'Since when it has this status';
COMMENT ON COLUMN pgpool_stats.instances.cause IS 'Of the worst one: what holds its connections up';
COMMENT ON COLUMN pgpool_stats.instances.client_addr IS 'Address it connects from; null = local socket';
COMMENT ON COLUMN pgpool_stats.instances.dialect IS 'Library whose keys the last report used';
COMMENT ON COLUMN pgpool_stats.instances.app_version IS 'Version of the application';
COMMENT ON COLUMN pgpool_stats.instances.pool_size IS 'Configured: maximum without overflow';
COMMENT ON COLUMN pgpool_stats.instances.max_overflow IS 'Configured: overflow allowed above pool_size';
COMMENT ON COLUMN pgpool_stats.instances.max_size IS 'pool_size + max_overflow; null = unknown';
COMMENT ON COLUMN pgpool_stats.instances.unlimited IS 'The pool has no maximum';
COMMENT ON COLUMN pgpool_stats.instances.min_size IS 'Configured: connections kept open';
COMMENT ON COLUMN pgpool_stats.instances.open IS 'Connections open now';
COMMENT ON COLUMN pgpool_stats.instances.checked_out IS 'Of those, lent to the application';
COMMENT ON COLUMN pgpool_stats.instances.checked_in IS 'Of those, idle in the pool';
COMMENT ON COLUMN pgpool_stats.instances.overflow IS 'Open connections above pool_size';
COMMENT ON COLUMN pgpool_stats.instances.waiting IS 'Callers queued for a connection now';
COMMENT ON COLUMN pgpool_stats.instances.max_wait IS 'Age of the oldest waiting caller, ms';
COMMENT ON COLUMN pgpool_stats.instances.used_pct IS 'checked_out in percent of max_size';
COMMENT ON COLUMN pgpool_stats.instances.as_of IS 'Time of the figures reported; null = the server''s view';
COMMENT ON COLUMN pgpool_stats.instances.connections IS 'Connections the server has for it now';
COMMENT ON COLUMN pgpool_stats.instances.in_xact IS 'Of those, inside a transaction';
COMMENT ON COLUMN pgpool_stats.instances.idle_in_xact IS 'Of those, idle inside a transaction';
COMMENT ON COLUMN pgpool_stats.instances.unclaimed IS 'Connections here that the pool does not claim';
COMMENT ON COLUMN pgpool_stats.instances.peak_in_xact IS 'Most connections in a transaction at once';
COMMENT ON COLUMN pgpool_stats.instances.peak_in_xact_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.instances.exhausted_count IS 'Times all its connections were in a transaction';
COMMENT ON COLUMN pgpool_stats.instances.exhausted_time IS 'Time it was so in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.checkouts IS 'Connections asked for';
COMMENT ON COLUMN pgpool_stats.instances.waits IS 'Of those, had to wait';
COMMENT ON COLUMN pgpool_stats.instances.total_wait_time IS 'Time callers waited in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.mean_wait_time IS 'Per wait or per checkout, depending on dialect, ms';
COMMENT ON COLUMN pgpool_stats.instances.timeouts IS 'Callers that gave up waiting';
COMMENT ON COLUMN pgpool_stats.instances.errors IS 'Other failed checkouts, and failed connects';
COMMENT ON COLUMN pgpool_stats.instances.xacts IS 'Transactions the server has seen';
COMMENT ON COLUMN pgpool_stats.instances.total_xact_time IS 'Time inside transactions in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.mean_xact_time IS 'Time of a transaction on average, ms';
COMMENT ON COLUMN pgpool_stats.instances.active_time IS 'Time in transactions, but for the idle time, ms';
COMMENT ON COLUMN pgpool_stats.instances.idle_in_xact_time IS 'Time idle in transactions, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p50 IS 'Half of the transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p95 IS '95 of 100 transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p99 IS '99 of 100 transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.connects IS 'Connections made to this server';
COMMENT ON COLUMN pgpool_stats.instances.disconnects IS 'Connections ended';
COMMENT ON COLUMN pgpool_stats.instances.rejected IS 'Connections rejected by a limit';
COMMENT ON COLUMN pgpool_stats.instances.last_report IS 'When it last reported';
COMMENT ON COLUMN pgpool_stats.instances.report_interval IS 'Time between its reports, ms';
COMMENT ON COLUMN pgpool_stats.instances.first_seen IS 'When it was first seen';
COMMENT ON COLUMN pgpool_stats.instances.unmapped IS 'Keys in the last report that were not understood';
COMMENT ON COLUMN pgpool_stats.instances.notes IS 'What else a reader should know';
