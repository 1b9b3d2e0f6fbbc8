CREATE FUNCTION pgpool_stats.get_poolers()
RETURNS TABLE (
	name text,
	product text,
	version text,
	reachable boolean,
	last_poll timestamptz,
	poll_time float8,
	max_client_conn int,
	clients int,
	max_db_connections int,
	query_wait_timeout int,
	bytes_received bigint,
	bytes_sent bigint,
	client_parses bigint,
	server_parses bigint,
	binds bigint,
	error text
)
AS 'MODULE_PATHNAME', 'pgps_get_poolers'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_poolers() IS
	'behind the view poolers';

CREATE VIEW pgpool_stats.poolers AS
	SELECT * FROM pgpool_stats.get_poolers();
GRANT SELECT ON pgpool_stats.poolers TO PUBLIC;
COMMENT ON VIEW pgpool_stats.poolers IS
	'External poolers that are polled (for pg_read_all_stats)';
COMMENT ON COLUMN pgpool_stats.poolers.name IS 'Its name, as in pools and in the columns via';
COMMENT ON COLUMN pgpool_stats.poolers.product IS 'PgBouncer, Odyssey, Pgpool-II or what it calls itself';
COMMENT ON COLUMN pgpool_stats.poolers.version IS 'Its version';
COMMENT ON COLUMN pgpool_stats.poolers.reachable IS 'Did it answer the last poll?';
COMMENT ON COLUMN pgpool_stats.poolers.last_poll IS 'When it last answered';
COMMENT ON COLUMN pgpool_stats.poolers.poll_time IS 'How long that took, ms';
COMMENT ON COLUMN pgpool_stats.poolers.max_client_conn IS 'Clients it takes at most';
COMMENT ON COLUMN pgpool_stats.poolers.clients IS 'Clients it has now, our own connection included';
COMMENT ON COLUMN pgpool_stats.poolers.max_db_connections IS 'Most connections to a database; null = no limit';
COMMENT ON COLUMN pgpool_stats.poolers.query_wait_timeout IS 'Clients that wait for longer are sent away, s; null = never';
COMMENT ON COLUMN pgpool_stats.poolers.bytes_received IS 'Bytes from its clients, since it was started';
COMMENT ON COLUMN pgpool_stats.poolers.bytes_sent IS 'Bytes to its clients, since it was started';
COMMENT ON COLUMN pgpool_stats.poolers.client_parses IS 'Prepared statements that clients made, since it was started';
COMMENT ON COLUMN pgpool_stats.poolers.server_parses IS 'Prepared statements it made here, since it was started';
COMMENT ON COLUMN pgpool_stats.poolers.binds IS 'Executions of prepared statements, since it was started';
COMMENT ON COLUMN pgpool_stats.poolers.error IS 'What went wrong with the last poll';
