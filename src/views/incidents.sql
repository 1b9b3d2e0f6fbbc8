CREATE FUNCTION pgpool_stats.get_incidents()
RETURNS TABLE (
	id bigint,
	severity text,
	rule text,
	pool text,
	datname name,
	usename name,
	instance text,
	began timestamptz,
	ended timestamptz,
	times int,
	worst float8,
	unit text,
	message text,
	cause text,
	culprit text,
	culprit_pid int,
	hint text
)
AS 'MODULE_PATHNAME', 'pgps_get_incidents'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_incidents() IS
	'behind the view incidents';

CREATE VIEW pgpool_stats.incidents AS
	SELECT * FROM pgpool_stats.get_incidents();
GRANT SELECT ON pgpool_stats.incidents TO PUBLIC;
COMMENT ON VIEW pgpool_stats.incidents IS
	'What fired, also after it cleared: what was it at 03:12';
COMMENT ON COLUMN pgpool_stats.incidents.id IS 'Number of the incident';
COMMENT ON COLUMN pgpool_stats.incidents.severity IS 'critical or warning: its highest';
COMMENT ON COLUMN pgpool_stats.incidents.rule IS 'Name of the rule, see rules';
COMMENT ON COLUMN pgpool_stats.incidents.pool IS 'Name of the pool; null = a limit or the server';
COMMENT ON COLUMN pgpool_stats.incidents.datname IS 'Its database';
COMMENT ON COLUMN pgpool_stats.incidents.usename IS 'Role it connects as';
COMMENT ON COLUMN pgpool_stats.incidents.instance IS 'The worst instance';
COMMENT ON COLUMN pgpool_stats.incidents.began IS 'When it began';
COMMENT ON COLUMN pgpool_stats.incidents.ended IS 'When it ended; null = it fires';
COMMENT ON COLUMN pgpool_stats.incidents.times IS 'How often it fired, each within 10 min of its end';
COMMENT ON COLUMN pgpool_stats.incidents.worst IS 'Its highest value';
COMMENT ON COLUMN pgpool_stats.incidents.unit IS 'Unit of worst';
COMMENT ON COLUMN pgpool_stats.incidents.message IS 'What was wrong, at its worst';
COMMENT ON COLUMN pgpool_stats.incidents.cause IS 'What held its connections up longest; null = not known';
COMMENT ON COLUMN pgpool_stats.incidents.culprit IS 'Who held them up: pool and instance';
COMMENT ON COLUMN pgpool_stats.incidents.culprit_pid IS 'Its process then';
COMMENT ON COLUMN pgpool_stats.incidents.hint IS 'Where to look, what to do';
