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
