CREATE FUNCTION pgpool_stats.get_rules()
RETURNS TABLE (
	rule text,
	target text,
	warning float8,
	critical float8,
	clear float8,
	unit text,
	for_time interval,
	enabled boolean,
	origin text,
	description text,
	error text
)
AS 'MODULE_PATHNAME', 'pgps_get_rules'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_rules() IS
	'behind the view rules';

CREATE VIEW pgpool_stats.rules AS
	SELECT * FROM pgpool_stats.get_rules();
GRANT SELECT ON pgpool_stats.rules TO PUBLIC;
COMMENT ON VIEW pgpool_stats.rules IS
	'Alert rules: their levels, and your exceptions';
COMMENT ON COLUMN pgpool_stats.rules.rule IS 'Name; * = all';
COMMENT ON COLUMN pgpool_stats.rules.target IS 'Pools or limits it is about; * = all';
COMMENT ON COLUMN pgpool_stats.rules.warning IS 'Warning from this value on; null = never, or unchanged';
COMMENT ON COLUMN pgpool_stats.rules.critical IS 'Critical from this value on; null = never, or unchanged';
COMMENT ON COLUMN pgpool_stats.rules.clear IS 'Ends below this value; null = below warning';
COMMENT ON COLUMN pgpool_stats.rules.unit IS 'Unit of the levels';
COMMENT ON COLUMN pgpool_stats.rules.for_time IS 'How long it must last, or how far it looks back';
COMMENT ON COLUMN pgpool_stats.rules.enabled IS 'Is it on?';
COMMENT ON COLUMN pgpool_stats.rules.origin IS 'default, or setting: from alert_rules';
COMMENT ON COLUMN pgpool_stats.rules.description IS 'What it is about; for a setting, its entry';
COMMENT ON COLUMN pgpool_stats.rules.error IS 'What is wrong with the entry; it has no effect';
