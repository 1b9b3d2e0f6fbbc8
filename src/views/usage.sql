CREATE FUNCTION pgpool_stats.get_usage(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	cpu_time float8,
	wal_bytes bigint,
	shared_blks_hit bigint,
	shared_blks_read bigint,
	shared_blks_dirtied bigint,
	shared_blks_written bigint,
	temp_blks_read bigint,
	temp_blks_written bigint,
	memory bigint,
	memory_sampled int,
	xacts bigint,
	xact_time float8
)
AS 'MODULE_PATHNAME', 'pgps_get_usage'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_usage(boolean) IS
	'behind the view usage';

CREATE FUNCTION pgpool_stats.get_server_usage()
RETURNS TABLE (
	cpu_time float8,
	wal_bytes bigint,
	memory bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_server_usage'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_server_usage() IS
	'what the server uses, behind the view metrics';

CREATE VIEW pgpool_stats.usage AS
	SELECT * FROM pgpool_stats.get_usage();
GRANT SELECT ON pgpool_stats.usage TO PUBLIC;
COMMENT ON VIEW pgpool_stats.usage IS
	'What each pool uses: CPU, WAL, blocks, memory';
COMMENT ON COLUMN pgpool_stats.usage.pool IS 'Pool; (server): measured; (not accounted): the rest';
COMMENT ON COLUMN pgpool_stats.usage.datname IS 'Its database';
COMMENT ON COLUMN pgpool_stats.usage.usename IS 'Role it connects as';
COMMENT ON COLUMN pgpool_stats.usage.cpu_time IS 'CPU time without fork and exit, parallel workers too, ms';
COMMENT ON COLUMN pgpool_stats.usage.wal_bytes IS 'WAL written; of the server its position''s rise';
COMMENT ON COLUMN pgpool_stats.usage.shared_blks_hit IS 'Shared blocks found in the buffer cache';
COMMENT ON COLUMN pgpool_stats.usage.shared_blks_read IS 'Shared blocks read';
COMMENT ON COLUMN pgpool_stats.usage.shared_blks_dirtied IS 'Shared blocks dirtied';
COMMENT ON COLUMN pgpool_stats.usage.shared_blks_written IS 'Shared blocks its sessions had to write themselves';
COMMENT ON COLUMN pgpool_stats.usage.temp_blks_read IS 'Blocks of temporary files read';
COMMENT ON COLUMN pgpool_stats.usage.temp_blks_written IS 'Blocks of temporary files written';
COMMENT ON COLUMN pgpool_stats.usage.memory IS 'Memory of its connections now, not shared, bytes';
COMMENT ON COLUMN pgpool_stats.usage.memory_sampled IS 'Connections that is from: one a second is looked at';
COMMENT ON COLUMN pgpool_stats.usage.xacts IS 'Transactions, to compare with';
COMMENT ON COLUMN pgpool_stats.usage.xact_time IS 'Time inside transactions, to compare with, ms';
