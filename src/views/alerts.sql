CREATE FUNCTION pgpool_stats.get_alerts()
RETURNS TABLE (
	severity text,
	severity_code int,
	rule text,
	state text,
	pool text,
	datname name,
	usename name,
	instance text,
	since timestamptz,
	message text,
	cause text,
	culprit text,
	culprit_pid int,
	hint text,
	value float8,
	threshold float8,
	unit text,
	silenced_until timestamptz,
	evaluated_at timestamptz
)
AS 'MODULE_PATHNAME', 'pgps_get_alerts'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_alerts() IS
	'behind the view alerts';

CREATE FUNCTION pgpool_stats.get_alerts_left_out(pool text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pgps_get_alerts_left_out'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_alerts_left_out(text) IS
	'behind check_status: alerts that have no place';

CREATE FUNCTION pgpool_stats.get_missing_since(pool text)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'pgps_get_missing_since'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_missing_since(text) IS
	'behind check_status: a pool without a live instance';

CREATE VIEW pgpool_stats.alerts AS
	SELECT * FROM pgpool_stats.get_alerts();
GRANT SELECT ON pgpool_stats.alerts TO PUBLIC;
COMMENT ON VIEW pgpool_stats.alerts IS
	'What is wrong now, worst first: alert from here';
COMMENT ON COLUMN pgpool_stats.alerts.severity IS 'critical or warning';
COMMENT ON COLUMN pgpool_stats.alerts.severity_code IS '2 critical, 1 warning: for max()';
COMMENT ON COLUMN pgpool_stats.alerts.rule IS 'Name of the rule, see rules';
COMMENT ON COLUMN pgpool_stats.alerts.state IS 'firing, or pending: not for long enough yet';
COMMENT ON COLUMN pgpool_stats.alerts.pool IS 'Name of the pool; null = a limit or the server';
COMMENT ON COLUMN pgpool_stats.alerts.datname IS 'Its database';
COMMENT ON COLUMN pgpool_stats.alerts.usename IS 'Role it connects as';
COMMENT ON COLUMN pgpool_stats.alerts.instance IS 'The worst instance';
COMMENT ON COLUMN pgpool_stats.alerts.since IS 'When it began';
COMMENT ON COLUMN pgpool_stats.alerts.message IS 'What is wrong, in one sentence';
COMMENT ON COLUMN pgpool_stats.alerts.cause IS 'Why its connections are held up; null = not known';
COMMENT ON COLUMN pgpool_stats.alerts.culprit IS 'Who holds them up: pool and instance';
COMMENT ON COLUMN pgpool_stats.alerts.culprit_pid IS 'Its process';
COMMENT ON COLUMN pgpool_stats.alerts.hint IS 'Where to look, what to do';
COMMENT ON COLUMN pgpool_stats.alerts.value IS 'Value of the worst instance';
COMMENT ON COLUMN pgpool_stats.alerts.threshold IS 'Level it has reached';
COMMENT ON COLUMN pgpool_stats.alerts.unit IS 'Unit of value and threshold';
COMMENT ON COLUMN pgpool_stats.alerts.silenced_until IS 'Silenced until then; null = not silenced';
COMMENT ON COLUMN pgpool_stats.alerts.evaluated_at IS 'When the rule was last evaluated';
