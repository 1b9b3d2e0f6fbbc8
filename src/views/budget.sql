CREATE FUNCTION pgpool_stats.get_budget(exported boolean DEFAULT false)
RETURNS TABLE (
	scope text,
	name name,
	conn_limit int,
	usable int,
	used int,
	starting int,
	used_pct numeric,
	headroom int,
	binding text,
	status text,
	committed bigint,
	committed_peak bigint,
	uncapped int,
	peak_used int,
	peak_used_at timestamptz,
	rejected bigint,
	last_rejected timestamptz,
	reserved int
)
AS 'MODULE_PATHNAME', 'pgps_get_budget'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_budget(boolean) IS
	'behind the view budget, and metrics';

CREATE VIEW pgpool_stats.budget AS
	SELECT * FROM pgpool_stats.get_budget();
GRANT SELECT ON pgpool_stats.budget TO PUBLIC;
COMMENT ON VIEW pgpool_stats.budget IS
	'Limits of server, databases and roles, and their use';
COMMENT ON COLUMN pgpool_stats.budget.scope IS 'Whose limit: server, database, role or pool';
COMMENT ON COLUMN pgpool_stats.budget.name IS 'Name of the database, role or pool';
COMMENT ON COLUMN pgpool_stats.budget.conn_limit IS 'The limit itself; null = none of its own';
COMMENT ON COLUMN pgpool_stats.budget.usable IS 'Connections an ordinary role can use of it';
COMMENT ON COLUMN pgpool_stats.budget.used IS 'Connections used now';
COMMENT ON COLUMN pgpool_stats.budget.starting IS 'Of those, still authenticating (server)';
COMMENT ON COLUMN pgpool_stats.budget.used_pct IS 'used in percent of usable';
COMMENT ON COLUMN pgpool_stats.budget.headroom IS 'Connections still possible, by all limits';
COMMENT ON COLUMN pgpool_stats.budget.binding IS 'The limit that headroom comes from';
COMMENT ON COLUMN pgpool_stats.budget.status IS 'ok, full, warning or critical';
COMMENT ON COLUMN pgpool_stats.budget.committed IS 'Connections the pools may ask for';
COMMENT ON COLUMN pgpool_stats.budget.committed_peak IS 'The same with each pool at its largest in 7 days';
COMMENT ON COLUMN pgpool_stats.budget.uncapped IS 'Instances without a known maximum';
COMMENT ON COLUMN pgpool_stats.budget.peak_used IS 'Most connections at once';
COMMENT ON COLUMN pgpool_stats.budget.peak_used_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.budget.rejected IS 'Connections rejected by this limit';
COMMENT ON COLUMN pgpool_stats.budget.last_rejected IS 'When the last one was rejected';
COMMENT ON COLUMN pgpool_stats.budget.reserved IS 'Slots of the server that it may not use';
