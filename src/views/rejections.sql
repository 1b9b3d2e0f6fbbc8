CREATE FUNCTION pgpool_stats.get_rejections()
RETURNS TABLE (
	first_rejected timestamptz,
	last_rejected timestamptz,
	count bigint,
	reason text,
	usable int,
	pool text,
	instance text,
	datname name,
	usename name,
	application_name text,
	client_addr inet,
	sqlstate text
)
AS 'MODULE_PATHNAME', 'pgps_get_rejections'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_rejections() IS
	'behind the view rejections';

CREATE VIEW pgpool_stats.rejections AS
	SELECT * FROM pgpool_stats.get_rejections();
GRANT SELECT ON pgpool_stats.rejections TO PUBLIC;
COMMENT ON VIEW pgpool_stats.rejections IS
	'Rejected connections: a row for each origin and minute';
COMMENT ON COLUMN pgpool_stats.rejections.first_rejected IS 'First one of this origin in its minute';
COMMENT ON COLUMN pgpool_stats.rejections.last_rejected IS 'The last one';
COMMENT ON COLUMN pgpool_stats.rejections.count IS 'How many';
COMMENT ON COLUMN pgpool_stats.rejections.reason IS 'Why; by a limit, for its login, or the server was not there';
COMMENT ON COLUMN pgpool_stats.rejections.usable IS 'What that limit allows now; null = by no limit';
COMMENT ON COLUMN pgpool_stats.rejections.pool IS 'Pool it claimed to belong to';
COMMENT ON COLUMN pgpool_stats.rejections.instance IS 'Instance it claimed to be';
COMMENT ON COLUMN pgpool_stats.rejections.datname IS 'Database it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.usename IS 'Role it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.application_name IS 'As set by the client';
COMMENT ON COLUMN pgpool_stats.rejections.client_addr IS 'Address it came from; null = local socket';
COMMENT ON COLUMN pgpool_stats.rejections.sqlstate IS 'What the client was told';
