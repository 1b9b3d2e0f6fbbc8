CREATE FUNCTION pgpool_stats.get_load()
RETURNS TABLE (
	pool text,
	datname name,
	usename name,
	sessions float8,
	cpu float8,
	io float8,
	lock float8,
	lwlock float8,
	client float8,
	other float8,
	idle_in_xact float8,
	lent_idle float8,
	cause text,
	culprit text,
	sampled_at timestamptz
)
AS 'MODULE_PATHNAME', 'pgps_get_load'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_load() IS
	'behind the view load';

CREATE VIEW pgpool_stats.load AS
	SELECT * FROM pgpool_stats.get_load();
GRANT SELECT ON pgpool_stats.load TO PUBLIC;
COMMENT ON VIEW pgpool_stats.load IS
	'Average sessions in a transaction in the last minute';
COMMENT ON COLUMN pgpool_stats.load.pool IS 'Name of the client pool; null = the server';
COMMENT ON COLUMN pgpool_stats.load.datname IS 'Database it connects to';
COMMENT ON COLUMN pgpool_stats.load.usename IS 'Role it logs in as';
COMMENT ON COLUMN pgpool_stats.load.sessions IS 'Connections in a transaction, on average';
COMMENT ON COLUMN pgpool_stats.load.cpu IS 'Of those, on the CPU or waiting for one';
COMMENT ON COLUMN pgpool_stats.load.io IS 'Of those, reading or writing';
COMMENT ON COLUMN pgpool_stats.load.lock IS 'Of those, waiting for a lock';
COMMENT ON COLUMN pgpool_stats.load.lwlock IS 'Of those, waiting for a lock inside the server';
COMMENT ON COLUMN pgpool_stats.load.client IS 'Of those, waiting for the client to read or send';
COMMENT ON COLUMN pgpool_stats.load.other IS 'Of those, waiting for anything else';
COMMENT ON COLUMN pgpool_stats.load.idle_in_xact IS 'Of those, idle: the client did something else';
COMMENT ON COLUMN pgpool_stats.load.lent_idle IS 'Lent out, but in no transaction; null = not reported';
COMMENT ON COLUMN pgpool_stats.load.cause IS 'What holds them up; null = not known';
COMMENT ON COLUMN pgpool_stats.load.culprit IS 'Who is behind it';
COMMENT ON COLUMN pgpool_stats.load.sampled_at IS 'End of the minute';
