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
COMMENT ON COLUMN pgpool_stats.leaks.pool IS 'Pool they belong to';
COMMENT ON COLUMN pgpool_stats.leaks.instance IS 'Process that borrowed them';
COMMENT ON COLUMN pgpool_stats.leaks.datname IS 'Database';
COMMENT ON COLUMN pgpool_stats.leaks.usename IS 'Role';
COMMENT ON COLUMN pgpool_stats.leaks.at_least IS 'How many leaked, at the least';
COMMENT ON COLUMN pgpool_stats.leaks.candidates IS 'Connections among which they are';
COMMENT ON COLUMN pgpool_stats.leaks.candidate_pids IS 'Their processes, longest idle first';
COMMENT ON COLUMN pgpool_stats.leaks.since IS 'The first has not been used since then, or for longer';
COMMENT ON COLUMN pgpool_stats.leaks.evidence IS 'Why they count as leaked';
COMMENT ON COLUMN pgpool_stats.leaks.exempt IS 'Others that are held for a reason';
COMMENT ON COLUMN pgpool_stats.leaks.exhausts_at IS 'When the whole pool will have leaked at this rate';
COMMENT ON COLUMN pgpool_stats.leaks.advice IS 'What to do about it';
