CREATE FUNCTION pgpool_stats.report(pool text, stats jsonb,
									instance text DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'pgps_report'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.report(text, jsonb, text) IS
	'report the statistics of your client pool';

CREATE FUNCTION pgpool_stats.forget(pool text, instance text DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'pgps_forget'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.forget(text, text) IS
	'say goodbye for an instance that ends';

CREATE FUNCTION pgpool_stats.reset(pool text DEFAULT NULL,
								   usename name DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'pgps_reset'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pgpool_stats.reset(text, name) IS
	'start counters and peaks again';
REVOKE ALL ON FUNCTION pgpool_stats.reset(text, name) FROM PUBLIC;
