/* pgpool_stats--1.0.sql: client connection pools, not related to Pgpool-II */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgpool_stats" to load this file. \quit

COMMENT ON SCHEMA pgpool_stats IS
	'client connection pools (not Pgpool-II): start with overview';
GRANT USAGE ON SCHEMA pgpool_stats TO PUBLIC;

--
-- What applications call
--

CREATE FUNCTION pgpool_stats.report(pool text, stats jsonb,
									instance text DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'pgps_report'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.report(text, jsonb, text) IS
	'tell what a pool library says of your pool';

CREATE FUNCTION pgpool_stats.forget(pool text, instance text DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'pgps_forget'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.forget(text, text) IS
	'say goodbye for an instance that ends';

--
-- What operators call
--

CREATE FUNCTION pgpool_stats.reset(pool text DEFAULT NULL,
								   usename name DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'pgps_reset'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.reset(text, name) IS
	'start counters and peaks again';
REVOKE ALL ON FUNCTION pgpool_stats.reset(text, name) FROM PUBLIC;

CREATE FUNCTION pgpool_stats.check_plan(plan jsonb,
										against text DEFAULT 'peak')
RETURNS TABLE (
	scope text,
	name name,
	usable int,
	committed bigint,
	requested bigint,
	remaining bigint,
	fits boolean,
	uncapped int,
	note text
)
AS 'MODULE_PATHNAME', 'pgps_check_plan'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.check_plan(jsonb, text) IS
	'would these pools fit? a row for each limit';

CREATE FUNCTION pgpool_stats.assert_plan(plan jsonb,
										 against text DEFAULT 'peak')
RETURNS text
AS 'MODULE_PATHNAME', 'pgps_assert_plan'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.assert_plan(jsonb, text) IS
	'raise an error unless these pools would fit';

CREATE FUNCTION pgpool_stats.check_budget(pool_size int,
										  max_overflow int DEFAULT 0,
										  instances int DEFAULT 1,
										  surge int DEFAULT 0,
										  replaces text DEFAULT NULL,
										  role name DEFAULT session_user,
										  database name DEFAULT current_database(),
										  via text DEFAULT NULL,
										  against text DEFAULT 'peak')
RETURNS TABLE (
	scope text,
	name name,
	usable int,
	committed bigint,
	requested bigint,
	remaining bigint,
	fits boolean,
	uncapped int,
	note text
)
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT p.scope, p.name, p.usable, p.committed, p.requested, p.remaining,
		   p.fits, p.uncapped, p.note
	FROM pgpool_stats.check_plan(
			pg_catalog.jsonb_build_object(
				'pool_size', check_budget.pool_size,
				'max_overflow', check_budget.max_overflow,
				'instances', check_budget.instances,
				'surge', check_budget.surge,
				'replaces', check_budget.replaces,
				'role', check_budget.role,
				'database', check_budget.database,
				'via', check_budget.via),
			check_budget.against) AS p;
END;
COMMENT ON FUNCTION pgpool_stats.check_budget(int, int, int, int, text, name, name, text, text) IS
	'would this pool fit? a row for each limit';

CREATE FUNCTION pgpool_stats.silence(rule text, pool text DEFAULT '*',
									 for_time interval DEFAULT '1 hour',
									 reason text DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'pgps_silence'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.silence(text, text, interval, text) IS
	'be told nothing of these alerts for a while; gives an id';

CREATE FUNCTION pgpool_stats.unsilence(id int)
RETURNS void
AS 'MODULE_PATHNAME', 'pgps_unsilence'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.unsilence(int) IS
	'end a silence';

CREATE FUNCTION pgpool_stats.wait_probability(connections int, load float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'pgps_sql_wait_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pgpool_stats.wait_probability(int, float8) IS
	'share of callers that wait at a load (Erlang C)';

--
-- Views
--

CREATE FUNCTION pgpool_stats.get_overview()
RETURNS TABLE (
	pool text,
	database text,
	inst int,
	conns int,
	used text,
	fullest text,
	wait text,
	p95_ms text,
	last_hour text,
	status text
)
AS 'MODULE_PATHNAME', 'pgps_get_overview'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_overview() IS
	'behind the view overview';

CREATE VIEW pgpool_stats.overview AS
	SELECT * FROM pgpool_stats.get_overview();
GRANT SELECT ON pgpool_stats.overview TO PUBLIC;
COMMENT ON VIEW pgpool_stats.overview IS
	'START HERE: the server and its pools, worst first';
COMMENT ON COLUMN pgpool_stats.overview.pool IS 'Pool; (server) is the whole server';
COMMENT ON COLUMN pgpool_stats.overview.database IS 'Database';
COMMENT ON COLUMN pgpool_stats.overview.inst IS 'Live instances';
COMMENT ON COLUMN pgpool_stats.overview.conns IS 'Connections here now';
COMMENT ON COLUMN pgpool_stats.overview.used IS 'Lent out of the maximum; ? = no known maximum';
COMMENT ON COLUMN pgpool_stats.overview.fullest IS 'Lent out of the maximum in the fullest instance';
COMMENT ON COLUMN pgpool_stats.overview.wait IS 'Callers waiting; - = unknown, 3+ = at least';
COMMENT ON COLUMN pgpool_stats.overview.p95_ms IS '95 of 100 transactions were shorter (last 5 min)';
COMMENT ON COLUMN pgpool_stats.overview.last_hour IS 'Tenths used, a digit per 6 min; * full, - unknown';
COMMENT ON COLUMN pgpool_stats.overview.status IS 'Worst instance, and since how long';

CREATE FUNCTION pgpool_stats.get_pools(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	source text,
	via text,
	status text,
	status_since timestamptz,
	instances int,
	config text,
	pool_size bigint,
	max_overflow bigint,
	max_size bigint,
	unlimited boolean,
	open bigint,
	checked_out bigint,
	checked_in bigint,
	overflow bigint,
	waiting bigint,
	max_wait float8,
	used_pct numeric,
	fullest_pct numeric,
	fullest_instance text,
	exhausted_instances int,
	silent_instances int,
	gone_instances int,
	reporting int,
	connections bigint,
	in_xact bigint,
	idle_in_xact bigint,
	unclaimed bigint,
	peak_connections int,
	peak_connections_at timestamptz,
	peak_instances int,
	checkouts bigint,
	waits bigint,
	total_wait_time float8,
	mean_wait_time float8,
	timeouts bigint,
	errors bigint,
	xacts bigint,
	total_xact_time float8,
	mean_xact_time float8,
	connects bigint,
	disconnects bigint,
	rejected bigint,
	last_report timestamptz,
	first_seen timestamptz,
	last_hour text
)
AS 'MODULE_PATHNAME', 'pgps_get_pools'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_pools(boolean) IS
	'behind the view pools, and metrics';

CREATE VIEW pgpool_stats.pools AS
	SELECT * FROM pgpool_stats.get_pools();
GRANT SELECT ON pgpool_stats.pools TO PUBLIC;
COMMENT ON VIEW pgpool_stats.pools IS
	'Client pools: a row for each pool, database and role';
COMMENT ON COLUMN pgpool_stats.pools.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.pools.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.pools.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.pools.source IS 'How we know: report, label, discovery, pooler';
COMMENT ON COLUMN pgpool_stats.pools.via IS 'Pooler between the pool and this server';
COMMENT ON COLUMN pgpool_stats.pools.status IS 'The worst of its live instances';
COMMENT ON COLUMN pgpool_stats.pools.status_since IS 'Since when it has this status';
COMMENT ON COLUMN pgpool_stats.pools.instances IS 'Live copies of it';
COMMENT ON COLUMN pgpool_stats.pools.config IS 'Their sizes, as 9 x 5+10, 3 x 20';
COMMENT ON COLUMN pgpool_stats.pools.pool_size IS 'Sum of the configured normal caps';
COMMENT ON COLUMN pgpool_stats.pools.max_overflow IS 'Sum of what is allowed on top';
COMMENT ON COLUMN pgpool_stats.pools.max_size IS 'Sum of the caps; null unless all are known';
COMMENT ON COLUMN pgpool_stats.pools.unlimited IS 'An instance has no cap';
COMMENT ON COLUMN pgpool_stats.pools.open IS 'Connections open now';
COMMENT ON COLUMN pgpool_stats.pools.checked_out IS 'Of those, lent to the application';
COMMENT ON COLUMN pgpool_stats.pools.checked_in IS 'Of those, idle in the pool';
COMMENT ON COLUMN pgpool_stats.pools.overflow IS 'Open connections above pool_size';
COMMENT ON COLUMN pgpool_stats.pools.waiting IS 'Callers queued for a connection now';
COMMENT ON COLUMN pgpool_stats.pools.max_wait IS 'Age of the oldest waiting caller, ms';
COMMENT ON COLUMN pgpool_stats.pools.used_pct IS 'checked_out in percent of max_size';
COMMENT ON COLUMN pgpool_stats.pools.fullest_pct IS 'The same of its fullest instance';
COMMENT ON COLUMN pgpool_stats.pools.fullest_instance IS 'Which instance that is';
COMMENT ON COLUMN pgpool_stats.pools.exhausted_instances IS 'Instances that are exhausted';
COMMENT ON COLUMN pgpool_stats.pools.silent_instances IS 'Instances that work but do not report';
COMMENT ON COLUMN pgpool_stats.pools.gone_instances IS 'Instances that ended without goodbye';
COMMENT ON COLUMN pgpool_stats.pools.reporting IS 'Live instances that report';
COMMENT ON COLUMN pgpool_stats.pools.connections IS 'Connections the server has for it now';
COMMENT ON COLUMN pgpool_stats.pools.in_xact IS 'Of those, inside a transaction';
COMMENT ON COLUMN pgpool_stats.pools.idle_in_xact IS 'Of those, idle inside a transaction';
COMMENT ON COLUMN pgpool_stats.pools.unclaimed IS 'Connections here that the pool does not claim';
COMMENT ON COLUMN pgpool_stats.pools.peak_connections IS 'Most connections at once';
COMMENT ON COLUMN pgpool_stats.pools.peak_connections_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.pools.peak_instances IS 'Most live instances at once';
COMMENT ON COLUMN pgpool_stats.pools.checkouts IS 'Connections asked for';
COMMENT ON COLUMN pgpool_stats.pools.waits IS 'Of those, had to wait';
COMMENT ON COLUMN pgpool_stats.pools.total_wait_time IS 'Time callers waited in total, ms';
COMMENT ON COLUMN pgpool_stats.pools.mean_wait_time IS 'Per wait, or per checkout, by dialect, ms';
COMMENT ON COLUMN pgpool_stats.pools.timeouts IS 'Callers that gave up waiting';
COMMENT ON COLUMN pgpool_stats.pools.errors IS 'Other failed checkouts, and failed connects';
COMMENT ON COLUMN pgpool_stats.pools.xacts IS 'Transactions the server has seen';
COMMENT ON COLUMN pgpool_stats.pools.total_xact_time IS 'Time inside transactions in total, ms';
COMMENT ON COLUMN pgpool_stats.pools.mean_xact_time IS 'Time of a transaction on average, ms';
COMMENT ON COLUMN pgpool_stats.pools.connects IS 'Connections made to this server';
COMMENT ON COLUMN pgpool_stats.pools.disconnects IS 'Connections ended';
COMMENT ON COLUMN pgpool_stats.pools.rejected IS 'Connections refused by a limit';
COMMENT ON COLUMN pgpool_stats.pools.last_report IS 'When an instance last reported';
COMMENT ON COLUMN pgpool_stats.pools.first_seen IS 'When it was first seen';
COMMENT ON COLUMN pgpool_stats.pools.last_hour IS 'Fullest instance in tenths, a digit per 6 min';

CREATE FUNCTION pgpool_stats.get_instances(exported boolean DEFAULT false)
RETURNS TABLE (
	pool text,
	instance text,
	datname name,
	usename name,
	source text,
	via text,
	status text,
	status_since timestamptz,
	client_addr inet,
	dialect text,
	app_version text,
	pool_size int,
	max_overflow int,
	max_size int,
	unlimited boolean,
	min_size int,
	open int,
	checked_out int,
	checked_in int,
	overflow int,
	waiting int,
	max_wait float8,
	used_pct numeric,
	as_of timestamptz,
	connections int,
	in_xact int,
	idle_in_xact int,
	unclaimed int,
	peak_in_xact int,
	peak_in_xact_at timestamptz,
	exhausted_count bigint,
	exhausted_time float8,
	checkouts bigint,
	waits bigint,
	total_wait_time float8,
	mean_wait_time float8,
	timeouts bigint,
	errors bigint,
	xacts bigint,
	total_xact_time float8,
	mean_xact_time float8,
	xact_time_p50 float8,
	xact_time_p95 float8,
	xact_time_p99 float8,
	connects bigint,
	disconnects bigint,
	rejected bigint,
	last_report timestamptz,
	report_interval float8,
	first_seen timestamptz,
	unmapped text[],
	notes text
)
AS 'MODULE_PATHNAME', 'pgps_get_instances'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_instances(boolean) IS
	'behind the view instances, and metrics';

CREATE VIEW pgpool_stats.instances AS
	SELECT * FROM pgpool_stats.get_instances();
GRANT SELECT ON pgpool_stats.instances TO PUBLIC;
COMMENT ON VIEW pgpool_stats.instances IS
	'Their live copies: a row for each process';
COMMENT ON COLUMN pgpool_stats.instances.pool IS 'Name of the client pool';
COMMENT ON COLUMN pgpool_stats.instances.instance IS 'One live copy of it: a process, as host:pid';
COMMENT ON COLUMN pgpool_stats.instances.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.instances.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.instances.source IS 'How we know: report, label, discovery, pooler';
COMMENT ON COLUMN pgpool_stats.instances.via IS 'Pooler between the instance and this server';
COMMENT ON COLUMN pgpool_stats.instances.status IS 'ok, full, waiting, silent, exhausted or gone';
COMMENT ON COLUMN pgpool_stats.instances.status_since IS 'Since when it has this status';
COMMENT ON COLUMN pgpool_stats.instances.client_addr IS 'Address it connects from; null = local socket';
COMMENT ON COLUMN pgpool_stats.instances.dialect IS 'Whose words the last report was in';
COMMENT ON COLUMN pgpool_stats.instances.app_version IS 'Version of the application';
COMMENT ON COLUMN pgpool_stats.instances.pool_size IS 'Configured: the normal cap';
COMMENT ON COLUMN pgpool_stats.instances.max_overflow IS 'Configured: allowed on top of pool_size';
COMMENT ON COLUMN pgpool_stats.instances.max_size IS 'pool_size + max_overflow; null = unknown';
COMMENT ON COLUMN pgpool_stats.instances.unlimited IS 'The pool has no cap';
COMMENT ON COLUMN pgpool_stats.instances.min_size IS 'Configured: kept open';
COMMENT ON COLUMN pgpool_stats.instances.open IS 'Connections open now';
COMMENT ON COLUMN pgpool_stats.instances.checked_out IS 'Of those, lent to the application';
COMMENT ON COLUMN pgpool_stats.instances.checked_in IS 'Of those, idle in the pool';
COMMENT ON COLUMN pgpool_stats.instances.overflow IS 'Open connections above pool_size';
COMMENT ON COLUMN pgpool_stats.instances.waiting IS 'Callers queued for a connection now';
COMMENT ON COLUMN pgpool_stats.instances.max_wait IS 'Age of the oldest waiting caller, ms';
COMMENT ON COLUMN pgpool_stats.instances.used_pct IS 'checked_out in percent of max_size';
COMMENT ON COLUMN pgpool_stats.instances.as_of IS 'When it told these; null = server''s view of now';
COMMENT ON COLUMN pgpool_stats.instances.connections IS 'Connections the server has for it now';
COMMENT ON COLUMN pgpool_stats.instances.in_xact IS 'Of those, inside a transaction';
COMMENT ON COLUMN pgpool_stats.instances.idle_in_xact IS 'Of those, idle inside a transaction';
COMMENT ON COLUMN pgpool_stats.instances.unclaimed IS 'Connections here that the pool does not claim';
COMMENT ON COLUMN pgpool_stats.instances.peak_in_xact IS 'Most connections in a transaction at once';
COMMENT ON COLUMN pgpool_stats.instances.peak_in_xact_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.instances.exhausted_count IS 'Times all its connections were in a transaction';
COMMENT ON COLUMN pgpool_stats.instances.exhausted_time IS 'Time that lasted in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.checkouts IS 'Connections asked for';
COMMENT ON COLUMN pgpool_stats.instances.waits IS 'Of those, had to wait';
COMMENT ON COLUMN pgpool_stats.instances.total_wait_time IS 'Time callers waited in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.mean_wait_time IS 'Per wait, or per checkout, by dialect, ms';
COMMENT ON COLUMN pgpool_stats.instances.timeouts IS 'Callers that gave up waiting';
COMMENT ON COLUMN pgpool_stats.instances.errors IS 'Other failed checkouts, and failed connects';
COMMENT ON COLUMN pgpool_stats.instances.xacts IS 'Transactions the server has seen';
COMMENT ON COLUMN pgpool_stats.instances.total_xact_time IS 'Time inside transactions in total, ms';
COMMENT ON COLUMN pgpool_stats.instances.mean_xact_time IS 'Time of a transaction on average, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p50 IS 'Half of the transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p95 IS '95 of 100 transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.xact_time_p99 IS '99 of 100 transactions were shorter, ms';
COMMENT ON COLUMN pgpool_stats.instances.connects IS 'Connections made to this server';
COMMENT ON COLUMN pgpool_stats.instances.disconnects IS 'Connections ended';
COMMENT ON COLUMN pgpool_stats.instances.rejected IS 'Connections refused by a limit';
COMMENT ON COLUMN pgpool_stats.instances.last_report IS 'When it last reported';
COMMENT ON COLUMN pgpool_stats.instances.report_interval IS 'Time between its reports, ms';
COMMENT ON COLUMN pgpool_stats.instances.first_seen IS 'When it was first seen';
COMMENT ON COLUMN pgpool_stats.instances.unmapped IS 'Keys of the last report not understood';
COMMENT ON COLUMN pgpool_stats.instances.notes IS 'What else a reader should know';

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
COMMENT ON COLUMN pgpool_stats.budget.scope IS 'Whose limit: server, database or role';
COMMENT ON COLUMN pgpool_stats.budget.name IS 'Name of the database or role';
COMMENT ON COLUMN pgpool_stats.budget.conn_limit IS 'The limit itself; null = none of its own';
COMMENT ON COLUMN pgpool_stats.budget.usable IS 'Connections an ordinary role can use of it';
COMMENT ON COLUMN pgpool_stats.budget.used IS 'Connections used now';
COMMENT ON COLUMN pgpool_stats.budget.starting IS 'Of those, still authenticating (server)';
COMMENT ON COLUMN pgpool_stats.budget.used_pct IS 'used in percent of usable';
COMMENT ON COLUMN pgpool_stats.budget.headroom IS 'Connections still possible, by all limits';
COMMENT ON COLUMN pgpool_stats.budget.binding IS 'The limit that headroom comes from';
COMMENT ON COLUMN pgpool_stats.budget.status IS 'ok, full, warning or critical';
COMMENT ON COLUMN pgpool_stats.budget.committed IS 'What the pools may ask for';
COMMENT ON COLUMN pgpool_stats.budget.committed_peak IS 'The same at the pools'' largest';
COMMENT ON COLUMN pgpool_stats.budget.uncapped IS 'Instances without a known maximum';
COMMENT ON COLUMN pgpool_stats.budget.peak_used IS 'Most connections at once';
COMMENT ON COLUMN pgpool_stats.budget.peak_used_at IS 'When that was';
COMMENT ON COLUMN pgpool_stats.budget.rejected IS 'Connections refused by this limit';
COMMENT ON COLUMN pgpool_stats.budget.last_rejected IS 'When the last one was refused';
COMMENT ON COLUMN pgpool_stats.budget.reserved IS 'Slots of the server kept from it';

CREATE FUNCTION pgpool_stats.get_connections()
RETURNS TABLE (
	pid int,
	backend_start timestamptz,
	pool text,
	instance text,
	datname name,
	usename name,
	source text,
	via text,
	multiplexed boolean,
	application_name text,
	client_addr inet,
	client_port int,
	state text,
	state_change timestamptz,
	xact_start timestamptz,
	xacts bigint,
	total_xact_time float8,
	max_xact_time float8,
	suspect text
)
AS 'MODULE_PATHNAME', 'pgps_get_connections'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_connections() IS
	'behind the view connections';

CREATE VIEW pgpool_stats.connections AS
	SELECT * FROM pgpool_stats.get_connections();
GRANT SELECT ON pgpool_stats.connections TO PUBLIC;
COMMENT ON VIEW pgpool_stats.connections IS
	'Client connections and the pool they belong to';
COMMENT ON COLUMN pgpool_stats.connections.pid IS 'Process; joins pg_stat_activity';
COMMENT ON COLUMN pgpool_stats.connections.backend_start IS 'When the connection was made';
COMMENT ON COLUMN pgpool_stats.connections.pool IS 'Client pool it belongs to';
COMMENT ON COLUMN pgpool_stats.connections.instance IS 'Which live copy of the pool';
COMMENT ON COLUMN pgpool_stats.connections.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.connections.usename IS 'Role that logged in';
COMMENT ON COLUMN pgpool_stats.connections.source IS 'How we know: label, report or discovery';
COMMENT ON COLUMN pgpool_stats.connections.via IS 'Pooler it comes through';
COMMENT ON COLUMN pgpool_stats.connections.multiplexed IS 'A pooler hands it from client to client';
COMMENT ON COLUMN pgpool_stats.connections.application_name IS 'As the client says';
COMMENT ON COLUMN pgpool_stats.connections.client_addr IS 'Address of the client; null = local socket';
COMMENT ON COLUMN pgpool_stats.connections.client_port IS 'Port of the client; null = local socket';
COMMENT ON COLUMN pgpool_stats.connections.state IS 'As in pg_stat_activity';
COMMENT ON COLUMN pgpool_stats.connections.state_change IS 'Since when it is in that state';
COMMENT ON COLUMN pgpool_stats.connections.xact_start IS 'Start of its transaction; null = in none';
COMMENT ON COLUMN pgpool_stats.connections.xacts IS 'Transactions it has ended';
COMMENT ON COLUMN pgpool_stats.connections.total_xact_time IS 'Time inside them in total, ms';
COMMENT ON COLUMN pgpool_stats.connections.max_xact_time IS 'The longest of them, ms';
COMMENT ON COLUMN pgpool_stats.connections.suspect IS 'What speaks against it';

CREATE FUNCTION pgpool_stats.get_leaks()
RETURNS TABLE (
	pool text,
	instance text,
	datname name,
	usename name,
	at_least int,
	candidates int,
	candidate_pids int[],
	since timestamptz,
	evidence text,
	exempt text,
	exhausts_at timestamptz,
	advice text
)
AS 'MODULE_PATHNAME', 'pgps_get_leaks'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_leaks() IS
	'behind the view leaks';

CREATE VIEW pgpool_stats.leaks AS
	SELECT * FROM pgpool_stats.get_leaks();
GRANT SELECT ON pgpool_stats.leaks TO PUBLIC;
COMMENT ON VIEW pgpool_stats.leaks IS
	'Connections lent out and not used any more';
COMMENT ON COLUMN pgpool_stats.leaks.pool IS 'Pool they are of';
COMMENT ON COLUMN pgpool_stats.leaks.instance IS 'Process that borrowed them';
COMMENT ON COLUMN pgpool_stats.leaks.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.leaks.usename IS 'Role';
COMMENT ON COLUMN pgpool_stats.leaks.at_least IS 'How many leaked, at the least';
COMMENT ON COLUMN pgpool_stats.leaks.candidates IS 'Connections they are among';
COMMENT ON COLUMN pgpool_stats.leaks.candidate_pids IS 'Their processes, longest idle first';
COMMENT ON COLUMN pgpool_stats.leaks.since IS 'When the first was last used, at the latest';
COMMENT ON COLUMN pgpool_stats.leaks.evidence IS 'Why we think so';
COMMENT ON COLUMN pgpool_stats.leaks.exempt IS 'Others that are held with a reason';
COMMENT ON COLUMN pgpool_stats.leaks.exhausts_at IS 'When the pool is all leaked at this rate';
COMMENT ON COLUMN pgpool_stats.leaks.advice IS 'What to do about it';

CREATE FUNCTION pgpool_stats.get_sizing()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	config text,
	observed interval,
	basis text,
	arrival_rate float8,
	mean_use_time float8,
	load float8,
	peak int,
	p99 int,
	wait_probability float8,
	suggested int,
	give_back bigint,
	advice text
)
AS 'MODULE_PATHNAME', 'pgps_get_sizing'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_sizing() IS
	'behind the view sizing';

CREATE VIEW pgpool_stats.sizing AS
	SELECT * FROM pgpool_stats.get_sizing();
GRANT SELECT ON pgpool_stats.sizing TO PUBLIC;
COMMENT ON VIEW pgpool_stats.sizing IS
	'How many connections each pool needs, by a day''s load';
COMMENT ON COLUMN pgpool_stats.sizing.pool IS 'Pool; (server) is the whole server';
COMMENT ON COLUMN pgpool_stats.sizing.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.sizing.usename IS 'Role';
COMMENT ON COLUMN pgpool_stats.sizing.config IS 'How its live instances are configured';
COMMENT ON COLUMN pgpool_stats.sizing.observed IS 'For how long of the last 24 h it was watched';
COMMENT ON COLUMN pgpool_stats.sizing.basis IS 'client: lent out; server: in transactions';
COMMENT ON COLUMN pgpool_stats.sizing.arrival_rate IS 'Checkouts, or transactions, a second';
COMMENT ON COLUMN pgpool_stats.sizing.mean_use_time IS 'Time each has a connection on average, ms';
COMMENT ON COLUMN pgpool_stats.sizing.load IS 'Connections lent out on average: the two together';
COMMENT ON COLUMN pgpool_stats.sizing.peak IS 'Most lent out at once, in a week';
COMMENT ON COLUMN pgpool_stats.sizing.p99 IS 'The same in 99 of 100 pieces of 10 min';
COMMENT ON COLUMN pgpool_stats.sizing.wait_probability IS 'Share of callers that wait with today''s maximum';
COMMENT ON COLUMN pgpool_stats.sizing.suggested IS 'Size of each instance, never below peak';
COMMENT ON COLUMN pgpool_stats.sizing.give_back IS 'Connections held now beyond that, in all';
COMMENT ON COLUMN pgpool_stats.sizing.advice IS 'What to do, and what that is made of';

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
	'Refused connections: one origin in one minute a row';
COMMENT ON COLUMN pgpool_stats.rejections.first_rejected IS 'First refusal of this origin in its minute';
COMMENT ON COLUMN pgpool_stats.rejections.last_rejected IS 'The last one';
COMMENT ON COLUMN pgpool_stats.rejections.count IS 'How many';
COMMENT ON COLUMN pgpool_stats.rejections.reason IS 'The limit that refused';
COMMENT ON COLUMN pgpool_stats.rejections.usable IS 'What that limit allows now';
COMMENT ON COLUMN pgpool_stats.rejections.pool IS 'Pool it says it belongs to';
COMMENT ON COLUMN pgpool_stats.rejections.instance IS 'Instance it says it is';
COMMENT ON COLUMN pgpool_stats.rejections.datname IS 'Database it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.usename IS 'Role it asked for';
COMMENT ON COLUMN pgpool_stats.rejections.application_name IS 'As it says';
COMMENT ON COLUMN pgpool_stats.rejections.client_addr IS 'Address it came from; null = local socket';

CREATE FUNCTION pgpool_stats.get_poolers()
RETURNS TABLE (
	name text,
	product text,
	version text,
	reachable boolean,
	last_poll timestamptz,
	poll_time float8,
	max_client_conn int,
	clients int,
	max_db_connections int,
	error text
)
AS 'MODULE_PATHNAME', 'pgps_get_poolers'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_poolers() IS
	'behind the view poolers';

CREATE VIEW pgpool_stats.poolers AS
	SELECT * FROM pgpool_stats.get_poolers();
GRANT SELECT ON pgpool_stats.poolers TO PUBLIC;
COMMENT ON VIEW pgpool_stats.poolers IS
	'External poolers that are polled (for pg_read_all_stats)';
COMMENT ON COLUMN pgpool_stats.poolers.name IS 'Its name; pools and via call it so';
COMMENT ON COLUMN pgpool_stats.poolers.product IS 'PgBouncer, Odyssey, Pgpool-II or what it calls itself';
COMMENT ON COLUMN pgpool_stats.poolers.version IS 'Its version';
COMMENT ON COLUMN pgpool_stats.poolers.reachable IS 'Did it answer the last poll?';
COMMENT ON COLUMN pgpool_stats.poolers.last_poll IS 'When it last answered';
COMMENT ON COLUMN pgpool_stats.poolers.poll_time IS 'How long that took, ms';
COMMENT ON COLUMN pgpool_stats.poolers.max_client_conn IS 'Clients it takes at most';
COMMENT ON COLUMN pgpool_stats.poolers.clients IS 'Clients it has now, our own connection included';
COMMENT ON COLUMN pgpool_stats.poolers.max_db_connections IS 'Most connections to a database; null = no limit';
COMMENT ON COLUMN pgpool_stats.poolers.error IS 'What went wrong with the last poll';

CREATE FUNCTION pgpool_stats.get_chains()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	bottleneck text,
	instances int,
	max_size bigint,
	checked_out bigint,
	waiting bigint,
	max_wait float8,
	pooler text,
	pool_mode text,
	clients bigint,
	pooler_max_size bigint,
	pooler_checked_out bigint,
	pooler_waiting bigint,
	pooler_max_wait float8,
	connections bigint,
	in_xact bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_chains'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_chains() IS
	'behind the view chains';

CREATE VIEW pgpool_stats.chains AS
	SELECT * FROM pgpool_stats.get_chains();
GRANT SELECT ON pgpool_stats.chains TO PUBLIC;
COMMENT ON VIEW pgpool_stats.chains IS
	'Application, pooler, server: where do callers wait?';
COMMENT ON COLUMN pgpool_stats.chains.pool IS 'Pool of the application; null = none is known';
COMMENT ON COLUMN pgpool_stats.chains.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.chains.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.chains.bottleneck IS 'Where they wait: application, pooler or server';
COMMENT ON COLUMN pgpool_stats.chains.instances IS 'Live instances of the application''s pool';
COMMENT ON COLUMN pgpool_stats.chains.max_size IS 'Application: connections it may open';
COMMENT ON COLUMN pgpool_stats.chains.checked_out IS 'Application: connections lent';
COMMENT ON COLUMN pgpool_stats.chains.waiting IS 'Application: callers queued';
COMMENT ON COLUMN pgpool_stats.chains.max_wait IS 'Application: age of the oldest of them, ms';
COMMENT ON COLUMN pgpool_stats.chains.pooler IS 'Pooler it comes through; null = directly';
COMMENT ON COLUMN pgpool_stats.chains.pool_mode IS 'Pooler: session, transaction or statement';
COMMENT ON COLUMN pgpool_stats.chains.clients IS 'Pooler: clients of this database and role';
COMMENT ON COLUMN pgpool_stats.chains.pooler_max_size IS 'Pooler: connections it may open for them';
COMMENT ON COLUMN pgpool_stats.chains.pooler_checked_out IS 'Pooler: connections that serve a client';
COMMENT ON COLUMN pgpool_stats.chains.pooler_waiting IS 'Pooler: clients queued';
COMMENT ON COLUMN pgpool_stats.chains.pooler_max_wait IS 'Pooler: age of the oldest of them, ms';
COMMENT ON COLUMN pgpool_stats.chains.connections IS 'Connections here: the pooler''s, else the pool''s';
COMMENT ON COLUMN pgpool_stats.chains.in_xact IS 'Of those, inside a transaction';

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
COMMENT ON COLUMN pgpool_stats.dialects.field IS 'Figure it tells; null = none of ours';
COMMENT ON COLUMN pgpool_stats.dialects.conversion IS 'Its unit, and what is special about it';

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
COMMENT ON COLUMN pgpool_stats.alerts.since IS 'Since when';
COMMENT ON COLUMN pgpool_stats.alerts.message IS 'What is wrong, in one sentence';
COMMENT ON COLUMN pgpool_stats.alerts.hint IS 'Where to look, what to do';
COMMENT ON COLUMN pgpool_stats.alerts.value IS 'Value of the worst instance';
COMMENT ON COLUMN pgpool_stats.alerts.threshold IS 'Level it has reached';
COMMENT ON COLUMN pgpool_stats.alerts.unit IS 'Unit of both';
COMMENT ON COLUMN pgpool_stats.alerts.silenced_until IS 'Nobody is told before; null = not silenced';
COMMENT ON COLUMN pgpool_stats.alerts.evaluated_at IS 'When this was looked at';

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
COMMENT ON COLUMN pgpool_stats.rules.warning IS 'Warning from here on; null = never, or as before';
COMMENT ON COLUMN pgpool_stats.rules.critical IS 'Critical from here on; null = never, or as before';
COMMENT ON COLUMN pgpool_stats.rules.clear IS 'Fires until it is below; null = the warning';
COMMENT ON COLUMN pgpool_stats.rules.unit IS 'Unit of the levels';
COMMENT ON COLUMN pgpool_stats.rules.for_time IS 'How long it must last, or what it looks back';
COMMENT ON COLUMN pgpool_stats.rules.enabled IS 'Is it on?';
COMMENT ON COLUMN pgpool_stats.rules.origin IS 'default, or setting: from alert_rules';
COMMENT ON COLUMN pgpool_stats.rules.description IS 'What it is about; of a setting: the entry';
COMMENT ON COLUMN pgpool_stats.rules.error IS 'What is wrong with the entry; it has no effect';

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
	'Alerts that nobody is told for a while';
COMMENT ON COLUMN pgpool_stats.silences.id IS 'For unsilence()';
COMMENT ON COLUMN pgpool_stats.silences.rule IS 'Name of the rule; * = all';
COMMENT ON COLUMN pgpool_stats.silences.pool IS 'Pools that are meant, as in alert_rules';
COMMENT ON COLUMN pgpool_stats.silences.datname IS 'Their database; null = any';
COMMENT ON COLUMN pgpool_stats.silences.until IS 'When it ends';
COMMENT ON COLUMN pgpool_stats.silences.reason IS 'Why';
COMMENT ON COLUMN pgpool_stats.silences.created_by IS 'Who made it';
COMMENT ON COLUMN pgpool_stats.silences.created_at IS 'When it was made';

CREATE FUNCTION pgpool_stats.get_history()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	bucket_start timestamptz,
	bucket interval,
	instances int,
	min_connections int,
	max_connections int,
	min_checked_out int,
	max_checked_out int,
	max_in_xact int,
	max_waiting int,
	max_used_pct numeric,
	checkouts bigint,
	waits bigint,
	total_wait_time float8,
	timeouts bigint,
	errors bigint,
	connects bigint,
	rejected bigint,
	xacts bigint,
	total_xact_time float8
)
AS 'MODULE_PATHNAME', 'pgps_get_history'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_history() IS
	'behind the view history';

CREATE VIEW pgpool_stats.history AS
	SELECT * FROM pgpool_stats.get_history();
GRANT SELECT ON pgpool_stats.history TO PUBLIC;
COMMENT ON VIEW pgpool_stats.history IS
	'What each pool did in the last hour and day';
COMMENT ON COLUMN pgpool_stats.history.pool IS 'Name of the pool';
COMMENT ON COLUMN pgpool_stats.history.datname IS 'Its database';
COMMENT ON COLUMN pgpool_stats.history.usename IS 'Role it connects as';
COMMENT ON COLUMN pgpool_stats.history.bucket_start IS 'When this piece of time began';
COMMENT ON COLUMN pgpool_stats.history.bucket IS 'How long it is: 1 min (an hour), 10 min (a day)';
COMMENT ON COLUMN pgpool_stats.history.instances IS 'Live instances, the most at once';
COMMENT ON COLUMN pgpool_stats.history.min_connections IS 'Connections it held, at least';
COMMENT ON COLUMN pgpool_stats.history.max_connections IS 'Connections it held, at most';
COMMENT ON COLUMN pgpool_stats.history.min_checked_out IS 'Connections lent out, at least';
COMMENT ON COLUMN pgpool_stats.history.max_checked_out IS 'Connections lent out, at most';
COMMENT ON COLUMN pgpool_stats.history.max_in_xact IS 'Connections in a transaction, at most';
COMMENT ON COLUMN pgpool_stats.history.max_waiting IS 'Callers waiting, at most';
COMMENT ON COLUMN pgpool_stats.history.max_used_pct IS 'Percent used of the fullest instance, at most';
COMMENT ON COLUMN pgpool_stats.history.checkouts IS 'Checkouts in this time';
COMMENT ON COLUMN pgpool_stats.history.waits IS 'Checkouts that had to wait';
COMMENT ON COLUMN pgpool_stats.history.total_wait_time IS 'Time they waited together, ms';
COMMENT ON COLUMN pgpool_stats.history.timeouts IS 'Checkouts that timed out';
COMMENT ON COLUMN pgpool_stats.history.errors IS 'Other failed checkouts and connects';
COMMENT ON COLUMN pgpool_stats.history.connects IS 'New connections';
COMMENT ON COLUMN pgpool_stats.history.rejected IS 'Connections refused by a limit';
COMMENT ON COLUMN pgpool_stats.history.xacts IS 'Transactions that ended';
COMMENT ON COLUMN pgpool_stats.history.total_xact_time IS 'Time they took together, ms';

CREATE FUNCTION pgpool_stats.get_info()
RETURNS TABLE (
	loaded boolean,
	version text,
	collector_pid int,
	last_pass timestamptz,
	sees_all boolean,
	instances_used int,
	instances_max int,
	overflowed_instances bigint,
	unlabelled_connections int,
	unmapped_keys bigint,
	dropped bigint,
	stats_reset timestamptz,
	started_at timestamptz,
	notes text
)
AS 'MODULE_PATHNAME', 'pgps_get_info'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_info() IS
	'behind the view info';

CREATE VIEW pgpool_stats.info AS
	SELECT * FROM pgpool_stats.get_info();
GRANT SELECT ON pgpool_stats.info TO PUBLIC;
COMMENT ON VIEW pgpool_stats.info IS
	'How pgpool_stats itself is doing (one row)';
COMMENT ON COLUMN pgpool_stats.info.loaded IS 'Is the library in shared_preload_libraries?';
COMMENT ON COLUMN pgpool_stats.info.version IS 'Version of the library';
COMMENT ON COLUMN pgpool_stats.info.collector_pid IS 'Process of the collector; null = not running';
COMMENT ON COLUMN pgpool_stats.info.last_pass IS 'When the collector last looked';
COMMENT ON COLUMN pgpool_stats.info.sees_all IS 'Do you see the pools of all roles?';
COMMENT ON COLUMN pgpool_stats.info.instances_used IS 'Instances kept now';
COMMENT ON COLUMN pgpool_stats.info.instances_max IS 'Instances there is room for';
COMMENT ON COLUMN pgpool_stats.info.overflowed_instances IS 'Reports and connections put into (other)';
COMMENT ON COLUMN pgpool_stats.info.unlabelled_connections IS 'Connections without pgpool_stats.pool';
COMMENT ON COLUMN pgpool_stats.info.unmapped_keys IS 'Keys of reports not understood';
COMMENT ON COLUMN pgpool_stats.info.dropped IS 'Rows given up early to make room';
COMMENT ON COLUMN pgpool_stats.info.stats_reset IS 'Since when counters count';
COMMENT ON COLUMN pgpool_stats.info.started_at IS 'When the server started';
COMMENT ON COLUMN pgpool_stats.info.notes IS 'What cannot be seen, and why';

--
-- For exporters.  A figure that nobody told has no row: as NULL it would
-- become NaN on the way, and so would every sum over it.  Names end as
-- Prometheus wants it: in _total what only grows, in _seconds, _ratio and
-- _value what cannot be added up.  A dropped and a new role or database of one name are
-- one series.  After a crash, exported counters begin again at 0: one that only
-- steps back to its last save would look as if all of it were new.
--

CREATE FUNCTION pgpool_stats.get_refusals()
RETURNS TABLE (
	reason text,
	count bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_refusals'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_refusals() IS
	'refused connections by reason, behind the view metrics';

CREATE VIEW pgpool_stats.metrics AS
	SELECT name,
		   CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type,
		   help,
		   labels,
		   CASE WHEN name ~ '_(seconds|ratio|value)$'
				THEN pg_catalog.max(value) ELSE pg_catalog.sum(value) END AS value
	FROM (
		SELECT m.name,
			   m.help,
			   pg_catalog.jsonb_build_object('pool', p.pool,
											 'datname', p.datname,
											 'usename', p.usename) || m.labels ||
				CASE p.source WHEN 'pooler' THEN '{"layer": "pooler"}'::jsonb ELSE '{}' END,
			   m.value
		FROM pgpool_stats.get_pools(exported => true) AS p CROSS JOIN LATERAL (VALUES
			('pgpool_stats_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "used"}'::jsonb, p.checked_out::float8),
			('pgpool_stats_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "idle"}', p.checked_in::float8),
			('pgpool_stats_client_connections_max', 'Connections the pool may open.', '{}', p.max_size::float8),
			('pgpool_stats_pool_size', 'Connections the pool may open without overflow.', '{}', p.pool_size::float8),
			('pgpool_stats_overflow_connections', 'Connections the pool has open above its size.', '{}', p.overflow::float8),
			('pgpool_stats_pending_requests', 'Callers queued for a connection.', '{}', p.waiting::float8),
			('pgpool_stats_pending_oldest_seconds', 'Age of the oldest waiting caller.', '{}', p.max_wait / 1000::float8),
			('pgpool_stats_used_ratio', 'Connections lent, of the maximum.', '{}', p.used_pct::float8 / 100::float8),
			('pgpool_stats_fullest_ratio', 'Connections lent, of the maximum, in the fullest instance.', '{}', p.fullest_pct::float8 / 100::float8),
			('pgpool_stats_live_instances', 'Live instances.', '{}', p.instances::float8),
			('pgpool_stats_reporting_instances', 'Live instances that report.', '{}', p.reporting::float8),
			('pgpool_stats_exhausted_instances', 'Instances that have lent everything.', '{}', p.exhausted_instances::float8),
			('pgpool_stats_exhausted_seconds', 'How long an instance has been exhausted, the longest of all.', '{}',
				CASE p.status WHEN 'exhausted' THEN pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - p.status_since) ELSE 0 END),
			('pgpool_stats_silent_instances', 'Instances that work but do not report.', '{}', p.silent_instances::float8),
			('pgpool_stats_gone_instances', 'Instances that ended without goodbye.', '{}', p.gone_instances::float8),
			('pgpool_stats_server_connections', 'Connections the server has for the pool.', '{}', p.connections::float8),
			('pgpool_stats_server_connections_in_transaction', 'Connections inside a transaction, by the server.', '{}', p.in_xact::float8),
			('pgpool_stats_server_connections_idle_in_transaction', 'Connections idle inside a transaction, by the server.', '{}', p.idle_in_xact::float8),
			('pgpool_stats_unclaimed_connections', 'Connections the server has and the pool does not claim.', '{}', p.unclaimed::float8),
			('pgpool_stats_peak_connections', 'Most connections at once since the last reset.', '{}', p.peak_connections::float8),
			('pgpool_stats_last_report_timestamp_seconds', 'When an instance last reported.', '{}', pg_catalog.date_part('epoch', p.last_report)),
			('pgpool_stats_checkouts_total', 'Connections callers asked for.', '{}', p.checkouts::float8),
			('pgpool_stats_waits_total', 'Callers that had to wait.', '{}', p.waits::float8),
			('pgpool_stats_wait_seconds_total', 'Time callers waited.', '{}', p.total_wait_time / 1000::float8),
			('pgpool_stats_wait_events_total', 'Waits, or checkouts, by library: divides the time waited for its mean.', '{}',
				CASE WHEN p.mean_wait_time > 0 THEN pg_catalog.round(p.total_wait_time / p.mean_wait_time) ELSE p.waits END),
			('pgpool_stats_timeouts_total', 'Callers that gave up waiting.', '{}', p.timeouts::float8),
			('pgpool_stats_errors_total', 'Failed checkouts other than timeouts, and failed connects.', '{}', p.errors::float8),
			('pgpool_stats_transactions_total', 'Transactions the server has seen.', '{}', p.xacts::float8),
			('pgpool_stats_transaction_seconds_total', 'Time inside transactions.', '{}', p.total_xact_time / 1000::float8),
			('pgpool_stats_connects_total', 'Connections made to this server.', '{}', p.connects::float8),
			('pgpool_stats_disconnects_total', 'Connections to this server ended.', '{}', p.disconnects::float8),
			('pgpool_stats_pool_rejected_total', 'Connections of the pool refused by a limit.', '{}', p.rejected::float8)
		) AS m (name, help, labels, value)
		UNION ALL
		SELECT m.name,
			   m.help,
			   CASE b.scope WHEN 'server' THEN '{"scope": "server"}'
					ELSE pg_catalog.jsonb_build_object('scope', b.scope, 'name', b.name) END,
			   m.value
		FROM pgpool_stats.get_budget(exported => true) AS b CROSS JOIN LATERAL (VALUES
			('pgpool_stats_budget_usable_connections', 'Connections an ordinary role can use of a limit.', b.usable::float8),
			('pgpool_stats_budget_used_connections', 'Connections used of a limit.', b.used::float8),
			('pgpool_stats_budget_used_ratio', 'Connections used, of the usable.', b.used_pct::float8 / 100::float8),
			('pgpool_stats_budget_starting_connections', 'Connections still authenticating.', b.starting::float8),
			('pgpool_stats_budget_headroom_connections', 'Connections still possible, by all limits.', b.headroom::float8),
			('pgpool_stats_budget_committed_connections', 'Connections the pools may ask for.', b.committed::float8),
			('pgpool_stats_budget_peak_committed_connections', 'Connections the pools may ask for at their largest.', b.committed_peak::float8),
			('pgpool_stats_budget_uncapped_instances', 'Instances without a known maximum.', b.uncapped::float8),
			('pgpool_stats_budget_peak_used_connections', 'Most connections at once since the last reset.', b.peak_used::float8),
			('pgpool_stats_budget_rejected_total', 'Connections refused by a limit.', b.rejected::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT m.name, m.help, pg_catalog.jsonb_build_object('pooler', p.name), m.value
		FROM pgpool_stats.poolers AS p CROSS JOIN LATERAL (VALUES
			('pgpool_stats_pooler_up', 'Did the pooler answer when it was last asked?', p.reachable::int::float8),
			('pgpool_stats_pooler_poll_seconds', 'Time the pooler took to answer.', p.poll_time / 1000::float8),
			('pgpool_stats_pooler_client_connections', 'Client connections of the pooler.', p.clients::float8),
			('pgpool_stats_pooler_client_connections_max', 'Client connections the pooler takes.', p.max_client_conn::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT 'pgpool_stats_alert_value',
			   'Value of an alert that fires and is not silenced, in its rule''s unit.',
			   pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
					'rule', a.rule, 'severity', a.severity, 'pool', a.pool,
					'datname', a.datname, 'usename', a.usename)),
			   a.value
		FROM pgpool_stats.alerts AS a
		WHERE a.state = 'firing' AND a.silenced_until IS NULL
		UNION ALL
		SELECT 'pgpool_stats_rejected_total', 'Connections refused, by reason.',
			   pg_catalog.jsonb_build_object('reason', r.reason), r.count::float8
		FROM pgpool_stats.get_refusals() AS r
		UNION ALL
		SELECT m.name, m.help, m.labels, m.value
		FROM pgpool_stats.info AS i CROSS JOIN LATERAL (VALUES
			('pgpool_stats_build_info', 'Version of pgpool_stats.', pg_catalog.jsonb_build_object('version', i.version), 1::float8),
			('pgpool_stats_registry_sees_all', 'Does the exporter''s role see all pools?', '{}', i.sees_all::int::float8),
			('pgpool_stats_collector_age_seconds', 'Time since the last pass of the collector.', '{}',
				pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - i.last_pass)),
			('pgpool_stats_registry_instances', 'Instances the registry keeps.', '{}', i.instances_used::float8),
			('pgpool_stats_registry_instances_max', 'Instances the registry has room for.', '{}', i.instances_max::float8),
			('pgpool_stats_registry_overflowed_total', 'Reports and connections put into (other) for want of room.', '{}', i.overflowed_instances::float8),
			('pgpool_stats_registry_dropped_total', 'Rows of the registry given up early to make room.', '{}', i.dropped::float8),
			('pgpool_stats_registry_unlabelled_connections', 'Connections without a label.', '{}', i.unlabelled_connections::float8),
			('pgpool_stats_registry_unmapped_keys_total', 'Keys of reports not understood.', '{}', i.unmapped_keys::float8),
			('pgpool_stats_registry_start_timestamp_seconds', 'When the server started.', '{}', pg_catalog.date_part('epoch', i.started_at)),
			('pgpool_stats_registry_reset_timestamp_seconds', 'Since when counters count.', '{}', pg_catalog.date_part('epoch', i.stats_reset))
		) AS m (name, help, labels, value)
	) AS sample (name, help, labels, value)
	WHERE value IS NOT NULL
	GROUP BY name, help, labels;
GRANT SELECT ON pgpool_stats.metrics TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics IS
	'All of it for exporters, per pool; unknown = no row';
COMMENT ON COLUMN pgpool_stats.metrics.name IS 'Name as Prometheus wants it';
COMMENT ON COLUMN pgpool_stats.metrics.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics.labels IS 'Whose it is';
COMMENT ON COLUMN pgpool_stats.metrics.value IS 'Never null; seconds, ratios 0 to 1';

CREATE VIEW pgpool_stats.metrics_instances AS
	SELECT name,
		   CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type,
		   help,
		   labels,
		   CASE WHEN name ~ '_(seconds|ratio)$'
				THEN pg_catalog.max(value) ELSE pg_catalog.sum(value) END AS value
	FROM (
		SELECT m.name,
			   m.help,
			   pg_catalog.jsonb_build_object('pool', i.pool,
											 'pool_instance', i.instance,
											 'datname', i.datname,
											 'usename', i.usename) || m.labels ||
				CASE i.source WHEN 'pooler' THEN '{"layer": "pooler"}'::jsonb ELSE '{}' END,
			   m.value
		FROM pgpool_stats.get_instances(exported => true) AS i CROSS JOIN LATERAL (VALUES
			('pgpool_stats_instance_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "used"}'::jsonb, i.checked_out::float8),
			('pgpool_stats_instance_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "idle"}', i.checked_in::float8),
			('pgpool_stats_instance_client_connections_max', 'Connections the pool may open.', '{}', i.max_size::float8),
			('pgpool_stats_instance_client_connections_min', 'Connections the pool keeps open.', '{}', i.min_size::float8),
			('pgpool_stats_instance_pool_size', 'Connections the pool may open without overflow.', '{}', i.pool_size::float8),
			('pgpool_stats_instance_overflow_connections', 'Connections the pool has open above its size.', '{}', i.overflow::float8),
			('pgpool_stats_instance_pending_requests', 'Callers queued for a connection.', '{}', i.waiting::float8),
			('pgpool_stats_instance_pending_oldest_seconds', 'Age of the oldest waiting caller.', '{}', i.max_wait / 1000::float8),
			('pgpool_stats_instance_used_ratio', 'Connections lent, of the maximum.', '{}', i.used_pct::float8 / 100::float8),
			('pgpool_stats_instance_server_connections', 'Connections the server has for the pool.', '{}', i.connections::float8),
			('pgpool_stats_instance_server_connections_in_transaction', 'Connections inside a transaction, by the server.', '{}', i.in_xact::float8),
			('pgpool_stats_instance_server_connections_idle_in_transaction', 'Connections idle inside a transaction, by the server.', '{}', i.idle_in_xact::float8),
			('pgpool_stats_instance_unclaimed_connections', 'Connections the server has and the pool does not claim.', '{}', i.unclaimed::float8),
			('pgpool_stats_instance_peak_in_transaction', 'Most connections in a transaction at once since the last reset.', '{}', i.peak_in_xact::float8),
			('pgpool_stats_instance_last_report_timestamp_seconds', 'When it last reported.', '{}', pg_catalog.date_part('epoch', i.last_report)),
			('pgpool_stats_instance_exhausted_total', 'Times all its connections were in a transaction.', '{}', i.exhausted_count::float8),
			('pgpool_stats_instance_exhausted_seconds_total', 'Time all its connections were in a transaction.', '{}', i.exhausted_time / 1000::float8),
			('pgpool_stats_instance_checkouts_total', 'Connections callers asked for.', '{}', i.checkouts::float8),
			('pgpool_stats_instance_waits_total', 'Callers that had to wait.', '{}', i.waits::float8),
			('pgpool_stats_instance_wait_seconds_total', 'Time callers waited.', '{}', i.total_wait_time / 1000::float8),
			('pgpool_stats_instance_timeouts_total', 'Callers that gave up waiting.', '{}', i.timeouts::float8),
			('pgpool_stats_instance_errors_total', 'Failed checkouts other than timeouts, and failed connects.', '{}', i.errors::float8),
			('pgpool_stats_instance_transactions_total', 'Transactions the server has seen.', '{}', i.xacts::float8),
			('pgpool_stats_instance_transaction_seconds_total', 'Time inside transactions.', '{}', i.total_xact_time / 1000::float8),
			('pgpool_stats_instance_connects_total', 'Connections made to this server.', '{}', i.connects::float8),
			('pgpool_stats_instance_disconnects_total', 'Connections to this server ended.', '{}', i.disconnects::float8),
			('pgpool_stats_instance_rejected_total', 'Connections of the pool refused by a limit.', '{}', i.rejected::float8)
		) AS m (name, help, labels, value)
	) AS sample (name, help, labels, value)
	WHERE value IS NOT NULL
	GROUP BY name, help, labels;
GRANT SELECT ON pgpool_stats.metrics_instances TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics_instances IS
	'The same per instance; new names with every deploy';
COMMENT ON COLUMN pgpool_stats.metrics_instances.name IS 'Name as Prometheus wants it';
COMMENT ON COLUMN pgpool_stats.metrics_instances.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics_instances.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics_instances.labels IS 'Whose it is';
COMMENT ON COLUMN pgpool_stats.metrics_instances.value IS 'Never null; seconds, ratios 0 to 1';

-- Backslash, quote and newline are all that the format wants escaped.
CREATE FUNCTION pgpool_stats.openmetrics(app_names boolean DEFAULT false)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH sample AS (
		SELECT name, type, help, labels, value
		FROM pgpool_stats.metrics
		UNION ALL
		SELECT a.name, type, a.help,
			   labels - 'state'::text || '{"exporter": "pgpool_stats"}'::jsonb, value
		FROM pgpool_stats.metrics AS m JOIN (VALUES
			('pgpool_stats_pool_size', '{}'::jsonb, 'db_pool_size', 'Connections the pool may open without overflow.'),
			('pgpool_stats_client_connections', '{"state": "used"}', 'db_pool_checked_out', 'Connections lent to the application.'),
			('pgpool_stats_overflow_connections', '{}', 'db_pool_overflow', 'Connections the pool has open above its size.')
		) AS a (metric, which, name, help)
			ON a.metric = m.name AND m.labels @> a.which
		WHERE openmetrics.app_names
	), line AS (
		SELECT name, type, help,
			   pg_catalog.format('%s%s %s', name,
				   (SELECT '{' || pg_catalog.string_agg(
						pg_catalog.format('%s="%s"', key,
							pg_catalog.replace(
								pg_catalog.replace(
									pg_catalog.replace(l.value, '\', '\\'),
									'"', '\"'),
								E'\n', '\n')), ',') || '}'
					FROM pg_catalog.jsonb_each_text(labels) AS l (key, value)),
				   value) AS text
		FROM sample
	), family AS (
		SELECT pg_catalog.format(E'# HELP %s %s\n# TYPE %s %s\n%s\n',
								 name, help, name, type,
								 pg_catalog.string_agg(text, E'\n' ORDER BY text COLLATE "C")) AS text
		FROM line
		GROUP BY name, help, type
	)
	SELECT pg_catalog.string_agg(text, '' ORDER BY text COLLATE "C") || E'# EOF\n'
	FROM family;
END;
COMMENT ON FUNCTION pgpool_stats.openmetrics(boolean) IS
	'metrics as text that Prometheus reads';

--
-- For checkers.  Never OK because blind: a CASE looks at nothing it does not
-- need, so that a server without the library has an answer, too.
--

CREATE FUNCTION pgpool_stats.check_status(pool text DEFAULT NULL)
RETURNS TABLE (
	code int,
	status text,
	message text,
	perfdata text
)
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH alert AS (
		SELECT a.severity_code, a.since, a.message,
			   a.silenced_until IS NOT NULL AS silenced
		FROM pgpool_stats.alerts AS a
		WHERE a.state = 'firing' AND
			  (check_status.pool IS NULL OR a.pool = check_status.pool)
	), said AS (
		SELECT pg_catalog.max(severity_code) AS code,
			   pg_catalog.concat_ws(', ',
				   NULLIF(pg_catalog.count(*) FILTER (WHERE severity_code = 2), 0) || ' critical',
				   NULLIF(pg_catalog.count(*) FILTER (WHERE severity_code = 1), 0) || ' warning')
			   || ': '
			   || (pg_catalog.array_agg(message ORDER BY severity_code DESC, since))[1]
			   || CASE WHEN pg_catalog.count(*) > 1
					   THEN pg_catalog.format(' (+%s more)', pg_catalog.count(*) - 1)
					   ELSE '' END AS message
		FROM alert
		WHERE NOT silenced
	), used AS (
		SELECT CASE WHEN check_status.pool IS NULL
					THEN pg_catalog.format('pools: %s', pg_catalog.count(*))
					ELSE pg_catalog.format('%s: %s of %s connections lent',
						check_status.pool,
						coalesce(pg_catalog.sum(checked_out)::text, '?'),
						coalesce(pg_catalog.sum(max_size)::text, '?')) END AS message,
			   pg_catalog.concat_ws(' ',
				   CASE WHEN check_status.pool IS NOT NULL
						THEN 'connections=' || pg_catalog.sum(connections) END,
				   'lent=' || pg_catalog.sum(checked_out) || ';;;0;'
					   || CASE WHEN pg_catalog.count(*) = pg_catalog.count(max_size)
							   THEN pg_catalog.sum(max_size)::text ELSE '' END,
				   'waiting=' || pg_catalog.sum(waiting),
				   'exhausted_instances=' || pg_catalog.sum(exhausted_instances)) AS perfdata
		FROM pgpool_stats.pools AS p
		WHERE check_status.pool IS NULL OR p.pool = check_status.pool
	), server AS (
		SELECT pg_catalog.format('%s of %s connections used', used, usable) AS message,
			   pg_catalog.format('connections=%s;;;0;%s', used, usable) AS perfdata
		FROM pgpool_stats.budget
		WHERE scope = 'server' AND check_status.pool IS NULL
	), blind AS (
		SELECT CASE
			WHEN NOT i.loaded
				THEN 'pgpool_stats is not in shared_preload_libraries'
			WHEN i.last_pass IS NULL
				THEN 'the collector has not looked yet'
			WHEN pg_catalog.clock_timestamp() - i.last_pass >
				 GREATEST(interval '10 s',
						  5 * pg_catalog.current_setting('pgpool_stats.sample_interval')::interval)
				THEN pg_catalog.format('the collector last looked at %s', i.last_pass)
			WHEN check_status.pool IS NULL AND NOT i.sees_all
				THEN pg_catalog.format('only your own role''s pools are visible: GRANT pg_monitor TO %I',
									   CURRENT_USER)
			WHEN check_status.pool IS NOT NULL AND NOT EXISTS (
					SELECT FROM pgpool_stats.pools AS p
					WHERE p.pool = check_status.pool)
				THEN pg_catalog.format('there is no pool "%s"%s', check_status.pool,
					CASE WHEN i.sees_all THEN '' ELSE ' that you may see' END)
			END AS message
		FROM pgpool_stats.info AS i
	), verdict AS (
		SELECT CASE WHEN b.message IS NOT NULL THEN 3
					ELSE coalesce((SELECT s.code FROM said AS s), 0) END AS code,
			   CASE WHEN b.message IS NOT NULL THEN b.message
					ELSE coalesce((SELECT s.message FROM said AS s),
						pg_catalog.concat_ws(', ',
							(SELECT s.message FROM server AS s),
							(SELECT u.message FROM used AS u),
							(SELECT 'alerts silenced: ' || NULLIF(pg_catalog.count(*), 0)
							 FROM alert AS a WHERE a.silenced))) END AS message,
			   CASE WHEN b.message IS NULL
					THEN pg_catalog.concat_ws(' ',
						(SELECT s.perfdata FROM server AS s),
						(SELECT u.perfdata FROM used AS u)) END AS perfdata
		FROM blind AS b
	)
	SELECT v.code,
		   (ARRAY['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'])[v.code + 1],
		   pg_catalog.translate(v.message, '|', '/'),
		   v.perfdata
	FROM verdict AS v;
END;
COMMENT ON FUNCTION pgpool_stats.check_status(text) IS
	'one line for Nagios: UNKNOWN rather than blind';
