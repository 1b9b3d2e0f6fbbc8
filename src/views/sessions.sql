CREATE FUNCTION pgpool_stats.get_sessions(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	connections bigint,
	tls_connections bigint,
	connects bigint,
	connect_time_p50 float8,
	connect_time_p95 float8,
	auth_time_p95 float8,
	client_connect_time float8,
	disconnects bigint,
	sessions_abandoned bigint,
	sessions_fatal bigint,
	sessions_killed bigint,
	session_age_p50 float8,
	session_age_max float8,
	xacts_per_session float8,
	rejected_limits bigint,
	rejected_logins bigint,
	rejected_unavailable bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_sessions'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_sessions(boolean) IS
	'behind the view sessions';

CREATE VIEW pgpool_stats.sessions AS
	SELECT * FROM pgpool_stats.get_sessions();
GRANT SELECT ON pgpool_stats.sessions TO PUBLIC;
COMMENT ON VIEW pgpool_stats.sessions IS
	'How connections are made, live and end: a row for each pool';
COMMENT ON COLUMN pgpool_stats.sessions.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.sessions.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.sessions.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.sessions.connections IS 'Connections the server has for it now';
COMMENT ON COLUMN pgpool_stats.sessions.tls_connections IS 'Of those, encrypted by TLS';
COMMENT ON COLUMN pgpool_stats.sessions.connects IS 'Connections made to this server';
COMMENT ON COLUMN pgpool_stats.sessions.connect_time_p50 IS 'Median time to make one, as the server sees it, ms';
COMMENT ON COLUMN pgpool_stats.sessions.connect_time_p95 IS '95th percentile of that, ms';
COMMENT ON COLUMN pgpool_stats.sessions.auth_time_p95 IS 'The part until it was authenticated, 95th percentile, ms';
COMMENT ON COLUMN pgpool_stats.sessions.client_connect_time IS 'Mean time to make one, as the pool reports it, ms';
COMMENT ON COLUMN pgpool_stats.sessions.disconnects IS 'Connections ended; see disconnects for why';
COMMENT ON COLUMN pgpool_stats.sessions.sessions_abandoned IS 'Of those, the client was cut off, as core counts it';
COMMENT ON COLUMN pgpool_stats.sessions.sessions_fatal IS 'Of those, ended by an error, as core counts it';
COMMENT ON COLUMN pgpool_stats.sessions.sessions_killed IS 'Of those, terminated, as core counts it';
COMMENT ON COLUMN pgpool_stats.sessions.session_age_p50 IS 'Median age of those that ended, ms';
COMMENT ON COLUMN pgpool_stats.sessions.session_age_max IS 'Greatest age of those that ended, ms';
COMMENT ON COLUMN pgpool_stats.sessions.xacts_per_session IS 'Transactions of those that ended and did more than report';
COMMENT ON COLUMN pgpool_stats.sessions.rejected_limits IS 'Connections rejected by a limit';
COMMENT ON COLUMN pgpool_stats.sessions.rejected_logins IS 'Connections rejected at login';
COMMENT ON COLUMN pgpool_stats.sessions.rejected_unavailable IS 'Rejected as the server started, stopped or recovered';

CREATE FUNCTION pgpool_stats.get_disconnects(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	reason text,
	sqlstate text,
	in_xact boolean,
	count bigint,
	last_at timestamptz,
	last_pid int
)
AS 'MODULE_PATHNAME', 'pgps_get_disconnects'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_disconnects(boolean) IS
	'behind the view disconnects';

CREATE VIEW pgpool_stats.disconnects AS
	SELECT * FROM pgpool_stats.get_disconnects();
GRANT SELECT ON pgpool_stats.disconnects TO PUBLIC;
COMMENT ON VIEW pgpool_stats.disconnects IS
	'Why connections ended: a row for each pool and reason';
COMMENT ON COLUMN pgpool_stats.disconnects.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.disconnects.datname IS 'Database it was connected to';
COMMENT ON COLUMN pgpool_stats.disconnects.usename IS 'Role it was logged in as';
COMMENT ON COLUMN pgpool_stats.disconnects.reason IS 'Who or what ended them; see docs/sessions.md';
COMMENT ON COLUMN pgpool_stats.disconnects.sqlstate IS 'As logged; null = nothing was, or several';
COMMENT ON COLUMN pgpool_stats.disconnects.in_xact IS 'Inside a transaction; null = unknown, after a crash';
COMMENT ON COLUMN pgpool_stats.disconnects.count IS 'How many; after a crash about as many';
COMMENT ON COLUMN pgpool_stats.disconnects.last_at IS 'When the last one ended';
COMMENT ON COLUMN pgpool_stats.disconnects.last_pid IS 'Process id of the last one';
