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
	client_addr inet
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
COMMENT ON COLUMN pgpool_stats.rejections.reason IS 'The limit that rejected it';
COMMENT ON COLUMN pgpool_stats.rejections.usable IS 'What that limit allows now';
COMMENT ON COLUMN pgpool_stats.rejections.pool IS 'Pool it says it belongs to';
COMMENT ON COLUMN pgpool_stats.rejections.instance IS 'Instance it says it is';
COMMENT ON COLUMN pgpool_stats.rejections.datname IS 'Database it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.usename IS 'Role it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.application_name IS 'As it says';
COMMENT ON COLUMN pgpool_stats.rejections.client_addr IS 'Address it came from; null = local socket';
