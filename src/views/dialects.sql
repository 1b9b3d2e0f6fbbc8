CREATE FUNCTION pgpool_stats.get_dialects()
RETURNS TABLE (
	dialect text,
	detected_by text[],
	key text,
	field text,
	conversion text
)
AS 'MODULE_PATHNAME', 'pgps_get_dialects'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_dialects() IS
	'behind the view dialects';

CREATE VIEW pgpool_stats.dialects AS
	SELECT * FROM pgpool_stats.get_dialects();
GRANT SELECT ON pgpool_stats.dialects TO PUBLIC;
COMMENT ON VIEW pgpool_stats.dialects IS
	'Keys that report() knows, of each pool library';
COMMENT ON COLUMN pgpool_stats.dialects.dialect IS 'Library whose words these are, most specific first';
COMMENT ON COLUMN pgpool_stats.dialects.detected_by IS 'All are there; | or, * any end, = spelled just so';
COMMENT ON COLUMN pgpool_stats.dialects.key IS 'Key; case and punctuation do not matter';
COMMENT ON COLUMN pgpool_stats.dialects.field IS 'Figure it reports; null = none of ours';
COMMENT ON COLUMN pgpool_stats.dialects.conversion IS 'Its unit, and what is special about it';
