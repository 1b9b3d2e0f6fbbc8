CREATE FUNCTION pgpool_stats.get_chains()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	bottleneck text,
	reason text,
	instances int,
	max_size bigint,
	checked_out bigint,
	waiting bigint,
	max_wait float8,
	pooler text,
	pool_mode text,
	clients bigint,
	pooler_max_size bigint,
	pooler_checked_out bigint,
	pooler_waiting bigint,
	pooler_max_wait float8,
	waiting_application text,
	holding_application text,
	cancels_waiting int,
	connections bigint,
	in_xact bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_chains'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_chains() IS
	'behind the view chains';

CREATE VIEW pgpool_stats.chains AS
	SELECT * FROM pgpool_stats.get_chains();
GRANT SELECT ON pgpool_stats.chains TO PUBLIC;
COMMENT ON VIEW pgpool_stats.chains IS
	'Application, pooler, server: where do callers wait?';
COMMENT ON COLUMN pgpool_stats.chains.pool IS 'Pool of the application; null = none is known';
COMMENT ON COLUMN pgpool_stats.chains.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.chains.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.chains.bottleneck IS 'Where they wait: application, pooler or server';
COMMENT ON COLUMN pgpool_stats.chains.reason IS 'Why, if it is not at the application: see docs/poolers.md';
COMMENT ON COLUMN pgpool_stats.chains.instances IS 'Live instances of the application''s pool';
COMMENT ON COLUMN pgpool_stats.chains.max_size IS 'Application: connections it may open';
COMMENT ON COLUMN pgpool_stats.chains.checked_out IS 'Application: connections lent';
COMMENT ON COLUMN pgpool_stats.chains.waiting IS 'Application: callers queued';
COMMENT ON COLUMN pgpool_stats.chains.max_wait IS 'Application: age of the oldest of them, ms';
COMMENT ON COLUMN pgpool_stats.chains.pooler IS 'Pooler it comes through; null = directly';
COMMENT ON COLUMN pgpool_stats.chains.pool_mode IS 'Pooler: session, transaction or statement';
COMMENT ON COLUMN pgpool_stats.chains.clients IS 'Pooler: clients of this database and role';
COMMENT ON COLUMN pgpool_stats.chains.pooler_max_size IS 'Pooler: connections it may open for them';
COMMENT ON COLUMN pgpool_stats.chains.pooler_checked_out IS 'Pooler: connections that serve a client';
COMMENT ON COLUMN pgpool_stats.chains.pooler_waiting IS 'Pooler: clients queued';
COMMENT ON COLUMN pgpool_stats.chains.pooler_max_wait IS 'Pooler: age of the oldest of them, ms';
COMMENT ON COLUMN pgpool_stats.chains.waiting_application IS 'Pooler: of which application most of those queued are';
COMMENT ON COLUMN pgpool_stats.chains.holding_application IS 'Pooler: whose idle sessions hold its connections longest';
COMMENT ON COLUMN pgpool_stats.chains.cancels_waiting IS 'Pooler: cancel requests queued';
COMMENT ON COLUMN pgpool_stats.chains.connections IS 'Connections here: the pooler''s, else the pool''s';
COMMENT ON COLUMN pgpool_stats.chains.in_xact IS 'Of those, inside a transaction';
