CREATE FUNCTION pgpool_stats.get_pools(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	source text,
	via text,
	status text,
	status_since timestamptz,
	cause text,
	instances int,
	config text,
	pool_size bigint,
	max_overflow bigint,
	max_size bigint,
	unlimited boolean,
	open bigint,
	checked_out bigint,
	checked_in bigint,
	overflow bigint,
	waiting bigint,
	max_wait float8,
	used_pct numeric,
	fullest_pct numeric,
	fullest_instance text,
	exhausted_instances int,
	silent_instances int,
	gone_instances int,
	reporting int,
	connections bigint,
	in_xact bigint,
	idle_in_xact bigint,
	unclaimed bigint,
	peak_connections int,
	peak_connections_at timestamptz,
	peak_instances int,
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
	connects bigint,
	disconnects bigint,
	rejected bigint,
	last_report timestamptz,
	first_seen timestamptz,
	last_hour text
)
AS 'MODULE_PATHNAME', 'pgps_get_pools'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_pools(boolean) IS
	'behind the view pools, and metrics';

CREATE VIEW pgpool_stats.pools AS
	SELECT * FROM pgpool_stats.get_pools();
GRANT SELECT ON pgpool_stats.pools TO PUBLIC;
COMMENT ON VIEW pgpool_stats.pools IS
	'Client pools: a row for each pool, database and role';
COMMENT ON COLUMN pgpool_stats.pools.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.pools.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.pools.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.pools.source IS 'How we know: report, label, discovery, pooler';
COMMENT ON COLUMN pgpool_stats.pools.via IS 'Pooler between the pool and this server';
COMMENT ON COLUMN pgpool_stats.pools.status IS 'Status of its worst live instance';
COMMENT ON COLUMN pgpool_stats.pools.status_since IS 'Since when it has this status';
COMMENT ON COLUMN pgpool_stats.pools.cause IS 'What holds its connections up; null = not known';
COMMENT ON COLUMN pgpool_stats.pools.instances IS 'Live instances of it';
COMMENT ON COLUMN pgpool_stats.pools.config IS 'Sizes of its live instances, as 9 x 5+10, 3 x 20';
COMMENT ON COLUMN pgpool_stats.pools.pool_size IS 'Sum of pool_size of its live instances';
COMMENT ON COLUMN pgpool_stats.pools.max_overflow IS 'Sum of max_overflow of its live instances';
COMMENT ON COLUMN pgpool_stats.pools.max_size IS 'Sum of max_size of them; null unless all are known';
COMMENT ON COLUMN pgpool_stats.pools.unlimited IS 'An instance has no maximum';
COMMENT ON COLUMN pgpool_stats.pools.open IS 'Connections open now';
COMMENT ON COLUMN pgpool_stats.pools.checked_out IS 'Of those, lent to the application';
COMMENT ON COLUMN pgpool_stats.pools.checked_in IS 'Of those, idle in the pool';
COMMENT ON COLUMN pgpool_stats.pools.overflow IS 'Open connections above pool_size';
COMMENT ON COLUMN pgpool_stats.pools.waiting IS 'Callers queued for a connection now';
COMMENT ON COLUMN pgpool_stats.pools.max_wait IS 'Age of the oldest waiting caller, ms';
COMMENT ON COLUMN pgpool_stats.pools.used_pct IS 'checked_out in percent of max_size';
COMMENT ON COLUMN pgpool_stats.pools.fullest_pct IS 'The same of its fullest instance';
COMMENT ON COLUMN pgpool_stats.pools.fullest_instance IS 'Which instance that is';
COMMENT ON COLUMN pgpool_stats.pools.exhausted_instances IS 'Instances that are exhausted';
COMMENT ON COLUMN pgpool_stats.pools.silent_instances IS 'Instances that work but do not report';
COMMENT ON COLUMN pgpool_stats.pools.gone_instances IS 'Instances that ended without forget()';
COMMENT ON COLUMN pgpool_stats.pools.reporting IS 'Live instances that report';
COMMENT ON COLUMN pgpool_stats.pools.connections IS 'Connections the server has for it now';
COMMENT ON COLUMN pgpool_stats.pools.in_xact IS 'Of those, inside a transaction';
COMMENT ON COLUMN pgpool_stats.pools.idle_in_xact IS 'Of those, idle inside a transaction';
COMMENT ON COLUMN pgpool_stats.pools.unclaimed IS 'Connections here that the pool does not claim';
COMMENT ON COLUMN pgpool_stats.pools.peak_connections IS 'Most connections at once';
COMMENT ON COLUMN pgpool_stats.pools.peak_connections_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.pools.peak_instances IS 'Most live instances at once';
COMMENT ON COLUMN pgpool_stats.pools.checkouts IS 'Connections asked for';
COMMENT ON COLUMN pgpool_stats.pools.waits IS 'Of those, had to wait';
COMMENT ON COLUMN pgpool_stats.pools.total_wait_time IS 'Time callers waited in total, ms';
COMMENT ON COLUMN pgpool_stats.pools.mean_wait_time IS 'Per wait or per checkout, depending on dialect, ms';
COMMENT ON COLUMN pgpool_stats.pools.timeouts IS 'Callers that gave up waiting';
COMMENT ON COLUMN pgpool_stats.pools.errors IS 'Other failed checkouts, and failed connects';
COMMENT ON COLUMN pgpool_stats.pools.xacts IS 'Transactions the server has seen';
COMMENT ON COLUMN pgpool_stats.pools.total_xact_time IS 'Time inside transactions in total, ms';
COMMENT ON COLUMN pgpool_stats.pools.mean_xact_time IS 'Time of a transaction on average, ms';
COMMENT ON COLUMN pgpool_stats.pools.active_time IS 'Time in transactions, but for the idle time, ms';
COMMENT ON COLUMN pgpool_stats.pools.idle_in_xact_time IS 'Time idle in transactions, ms';
COMMENT ON COLUMN pgpool_stats.pools.connects IS 'Connections made to this server';
COMMENT ON COLUMN pgpool_stats.pools.disconnects IS 'Connections ended';
COMMENT ON COLUMN pgpool_stats.pools.rejected IS 'Connections rejected by a limit';
COMMENT ON COLUMN pgpool_stats.pools.last_report IS 'When an instance last reported';
COMMENT ON COLUMN pgpool_stats.pools.first_seen IS 'When it was first seen';
COMMENT ON COLUMN pgpool_stats.pools.last_hour IS 'Fullest instance in tenths, a digit per 6 min';
