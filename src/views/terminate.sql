CREATE FUNCTION pgpool_stats.terminate(pool text, state text DEFAULT 'idle',
									   idle_for interval DEFAULT '10 min',
									   max_count int DEFAULT NULL,
									   dry_run boolean DEFAULT true,
									   usename name DEFAULT NULL,
									   datname name DEFAULT NULL,
									   instance text DEFAULT NULL)
RETURNS TABLE (
	pid int,
	instance text,
	state text,
	since timestamptz,
	action text,
	reason text
)
AS 'MODULE_PATHNAME', 'pgps_terminate'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.terminate(text, text, interval, int, boolean, name, name, text) IS
	'end idle or leaked connections of a pool';

CREATE FUNCTION pgpool_stats.drain(pool text, old_version text,
								   dry_run boolean DEFAULT true,
								   usename name DEFAULT NULL,
								   datname name DEFAULT NULL,
								   instance text DEFAULT NULL)
RETURNS TABLE (
	pid int,
	instance text,
	state text,
	since timestamptz,
	action text,
	reason text
)
AS 'MODULE_PATHNAME', 'pgps_drain'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.drain(text, text, boolean, name, name, text) IS
	'end idle connections of an old version of the application';
