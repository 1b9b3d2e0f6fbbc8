CREATE FUNCTION pgpool_stats.silence(rule text, pool text DEFAULT '*',
									 for_time interval DEFAULT '1 hour',
									 reason text DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'pgps_silence'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.silence(text, text, interval, text) IS
	'silence alerts for a while; returns an id';

CREATE FUNCTION pgpool_stats.unsilence(id int)
RETURNS void
AS 'MODULE_PATHNAME', 'pgps_unsilence'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.unsilence(int) IS
	'end a silence';

CREATE FUNCTION pgpool_stats.get_silences()
RETURNS TABLE (
	id int,
	rule text,
	pool text,
	datname text,
	until timestamptz,
	reason text,
	created_by name,
	created_at timestamptz
)
AS 'MODULE_PATHNAME', 'pgps_get_silences'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_silences() IS
	'behind the view silences';

CREATE VIEW pgpool_stats.silences AS
	SELECT * FROM pgpool_stats.get_silences();
GRANT SELECT ON pgpool_stats.silences TO PUBLIC;
COMMENT ON VIEW pgpool_stats.silences IS
	'Alerts that are silenced for a while';
COMMENT ON COLUMN pgpool_stats.silences.id IS 'For unsilence()';
COMMENT ON COLUMN pgpool_stats.silences.rule IS 'Name of the rule; * = all';
COMMENT ON COLUMN pgpool_stats.silences.pool IS 'Pools that are meant, as in alert_rules';
COMMENT ON COLUMN pgpool_stats.silences.datname IS 'Their database; null = any';
COMMENT ON COLUMN pgpool_stats.silences.until IS 'When it ends';
COMMENT ON COLUMN pgpool_stats.silences.reason IS 'Why';
COMMENT ON COLUMN pgpool_stats.silences.created_by IS 'Who made it';
COMMENT ON COLUMN pgpool_stats.silences.created_at IS 'When it was made';
