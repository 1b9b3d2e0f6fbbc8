CREATE FUNCTION pgpool_stats.get_dialects()
RETURNS TABLE (
	dialect text,
	detected_by text[],
	key text,
	field text,
	conversion text,
	tested_with text
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
COMMENT ON COLUMN pgpool_stats.dialects.dialect IS 'Library whose keys these are, most specific first';
COMMENT ON COLUMN pgpool_stats.dialects.detected_by IS 'Keys that must be there: a|b either, a* begins so, =a exact';
COMMENT ON COLUMN pgpool_stats.dialects.key IS 'Key; case and punctuation do not matter';
COMMENT ON COLUMN pgpool_stats.dialects.field IS 'Figure it reports; null = none of ours';
COMMENT ON COLUMN pgpool_stats.dialects.conversion IS 'Its unit, and what is special about it';
COMMENT ON COLUMN pgpool_stats.dialects.tested_with IS 'By our tests: the library itself, or only its documents';
