-- A column at the end of a view, which may have others built on it: the function
-- behind it is replaced, the view stays.
ALTER FUNCTION pgpool_stats.get_dialects() RENAME TO old_get_dialects;
CREATE FUNCTION pgpool_stats.get_dialects()
RETURNS TABLE (
	dialect text,
	detected_by text[],
	key text,
	field text,
	conversion text,
	tested_with text,
	since text
)
AS 'MODULE_PATHNAME', 'pgps_get_dialects'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_dialects() IS
	'behind the view dialects';
CREATE OR REPLACE VIEW pgpool_stats.dialects AS
	SELECT * FROM pgpool_stats.get_dialects();
COMMENT ON COLUMN pgpool_stats.dialects.since IS 'Release that has it first';
DROP FUNCTION pgpool_stats.old_get_dialects();
