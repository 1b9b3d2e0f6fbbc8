CREATE FUNCTION pgpool_stats.get_connections()
RETURNS TABLE (
	pid int,
	backend_start timestamptz,
	pool text,
	instance text,
	datname name,
	usename name,
	source text,
	via text,
	multiplexed boolean,
	application_name text,
	client_addr inet,
	client_port int,
	state text,
	state_change timestamptz,
	xact_start timestamptz,
	xacts bigint,
	total_xact_time float8,
	max_xact_time float8,
	suspect text
)
AS 'MODULE_PATHNAME', 'pgps_get_connections'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_connections() IS
	'behind the view connections';

CREATE VIEW pgpool_stats.connections AS
	SELECT * FROM pgpool_stats.get_connections();
GRANT SELECT ON pgpool_stats.connections TO PUBLIC;
COMMENT ON VIEW pgpool_stats.connections IS
	'Client connections and the pool they belong to';
COMMENT ON COLUMN pgpool_stats.connections.pid IS 'Process; joins pg_stat_activity';
COMMENT ON COLUMN pgpool_stats.connections.backend_start IS 'When the connection was made';
COMMENT ON COLUMN pgpool_stats.connections.pool IS 'Client pool it belongs to';
COMMENT ON COLUMN pgpool_stats.connections.instance IS 'Instance of the pool it belongs to';
COMMENT ON COLUMN pgpool_stats.connections.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.connections.usename IS 'Role that logged in';
COMMENT ON COLUMN pgpool_stats.connections.source IS 'How we know: label or discovery';
COMMENT ON COLUMN pgpool_stats.connections.via IS 'Pooler it comes through';
COMMENT ON COLUMN pgpool_stats.connections.multiplexed IS 'A pooler hands it from client to client';
COMMENT ON COLUMN pgpool_stats.connections.application_name IS 'As the client says';
COMMENT ON COLUMN pgpool_stats.connections.client_addr IS 'Address of the client; null = local socket';
COMMENT ON COLUMN pgpool_stats.connections.client_port IS 'Port of the client; null = local socket';
COMMENT ON COLUMN pgpool_stats.connections.state IS 'As in pg_stat_activity';
COMMENT ON COLUMN pgpool_stats.connections.state_change IS 'Since when it is in that state';
COMMENT ON COLUMN pgpool_stats.connections.xact_start IS 'Start of its transaction; null = in none';
COMMENT ON COLUMN pgpool_stats.connections.xacts IS 'Transactions it has ended';
COMMENT ON COLUMN pgpool_stats.connections.total_xact_time IS 'Time inside them in total, ms';
COMMENT ON COLUMN pgpool_stats.connections.max_xact_time IS 'The longest of them, ms';
COMMENT ON COLUMN pgpool_stats.connections.suspect IS 'Why it counts as leaked; null = it does not';
