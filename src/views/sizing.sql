CREATE FUNCTION pgpool_stats.wait_probability(connections int, load float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'pgps_sql_wait_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pgpool_stats.wait_probability(int, float8) IS
	'share of callers that wait at a load (Erlang C)';

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
COMMENT ON COLUMN pgpool_stats.sizing.basis IS 'client: by what is lent out; server: by transactions';
COMMENT ON COLUMN pgpool_stats.sizing.arrival_rate IS 'Checkouts, or transactions, a second';
COMMENT ON COLUMN pgpool_stats.sizing.mean_use_time IS 'Time each has a connection on average, ms';
COMMENT ON COLUMN pgpool_stats.sizing.load IS 'Connections lent out on average: rate x time';
COMMENT ON COLUMN pgpool_stats.sizing.peak IS 'Most lent out at once, in a week';
COMMENT ON COLUMN pgpool_stats.sizing.p99 IS 'At most this in 99 of 100 periods of 10 min';
COMMENT ON COLUMN pgpool_stats.sizing.wait_probability IS 'Share of callers that wait with today''s maximum';
COMMENT ON COLUMN pgpool_stats.sizing.suggested IS 'Size of each instance, never below peak';
COMMENT ON COLUMN pgpool_stats.sizing.give_back IS 'Connections held now beyond suggested, in total';
COMMENT ON COLUMN pgpool_stats.sizing.advice IS 'What to do, and the figures behind it';
