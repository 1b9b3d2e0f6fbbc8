--
-- The pools of a plan are read here, from JSON or from arguments; C judges
-- them.
--

-- null = the default, or unknown
CREATE TYPE pgpool_stats.planned_pool AS (
	pool_size numeric,
	max_overflow numeric,
	instances numeric,
	surge numeric,
	replaces text,
	role text,
	database text,
	via text,
	pool text
);

CREATE TYPE pgpool_stats.planned_limit AS (
	scope text,
	name name,
	usable int,
	committed bigint,
	requested bigint,
	remaining bigint,
	fits boolean,
	uncapped int,
	note text
);

CREATE FUNCTION pgpool_stats.get_planned_limits(plan pgpool_stats.planned_pool[],
												against text)
RETURNS SETOF pgpool_stats.planned_limit
AS 'MODULE_PATHNAME', 'pgps_get_planned_limits'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_planned_limits(pgpool_stats.planned_pool[], text) IS
	'behind check_plan and check_budget';

CREATE FUNCTION pgpool_stats.get_error(message text, detail text DEFAULT '',
									   sqlstate text DEFAULT '22023')
RETURNS text
AS 'MODULE_PATHNAME', 'pgps_get_error'
LANGUAGE C STRICT VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION pgpool_stats.get_error(text, text, text) IS
	'raise an error, for functions in SQL';

-- $[*] in jsonpath is each element of an array; a single object is one, too
CREATE FUNCTION pgpool_stats.get_planned_pools(plan jsonb)
RETURNS pgpool_stats.planned_pool[]
LANGUAGE sql STRICT VOLATILE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pgpool_stats.get_error(
		'a plan must be an array of objects, one for each pool',
		'Such as [{"pool": "orders", "pool_size": 5, "max_overflow": 10, "instances": 4}].')
	WHERE plan = '[]' OR EXISTS (
		SELECT FROM pg_catalog.jsonb_path_query(plan, '$[*]') AS pool
		WHERE pg_catalog.jsonb_typeof(pool) <> 'object');

	SELECT CASE WHEN expected IS NULL
		THEN pgpool_stats.get_error(
			pg_catalog.format('unknown key "%s" in a planned pool', key),
			'Expected pool, pool_size, max_overflow, instances, surge, replaces, role, database, via.')
		ELSE pgpool_stats.get_error(
			pg_catalog.format('"%s" of a planned pool must be %s', key, expected)) END
	FROM pg_catalog.jsonb_path_query(plan, '$[*]') AS pool,
		pg_catalog.jsonb_each(pool) AS field
		LEFT JOIN (VALUES
			('{pool,role,database,via}'::text[], '{string}'::text[], 'text'),
			('{replaces}', '{string,boolean}', 'text'),
			('{pool_size,max_overflow,instances,surge}', '{number}', 'a number')
		) AS known(keys, types, expected) ON key = ANY (keys)
	WHERE value <> 'null'
		AND (pg_catalog.jsonb_typeof(value) = ANY (types)) IS NOT TRUE;

	SELECT pg_catalog.array_agg(ROW(pool_size, max_overflow, instances, surge,
		CASE replaces
			WHEN 'true' THEN coalesce(pool, pgpool_stats.get_error(
				'a planned pool that replaces itself must have its name in "pool"'))
			WHEN 'false' THEN NULL
			ELSE replaces #>> '{}' END,
		role, database, via, pool)::pgpool_stats.planned_pool)
	FROM pg_catalog.jsonb_to_recordset(
			pg_catalog.jsonb_path_query_array(plan, '$[*]'))
		AS p(pool text, pool_size numeric, max_overflow numeric,
			 instances numeric, surge numeric, replaces jsonb,
			 role text, database text, via text);
END;
COMMENT ON FUNCTION pgpool_stats.get_planned_pools(jsonb) IS
	'the pools of a plan: array of objects, or one object';

CREATE FUNCTION pgpool_stats.check_plan(plan jsonb,
										against text DEFAULT 'peak')
RETURNS SETOF pgpool_stats.planned_limit
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT * FROM pgpool_stats.get_planned_limits(
		pgpool_stats.get_planned_pools(plan), against);
END;
COMMENT ON FUNCTION pgpool_stats.check_plan(jsonb, text) IS
	'would these pools fit? a row for each limit';

-- an error makes psql exit with 1, so that a pipeline stops
CREATE FUNCTION pgpool_stats.assert_plan(plan jsonb,
										 against text DEFAULT 'peak')
RETURNS text
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT CASE WHEN pg_catalog.count(*) = 0 THEN 'fits'
		ELSE pgpool_stats.get_error(
			pg_catalog.format('the plan does not fit: %s limit%s would be exceeded',
				pg_catalog.count(*),
				CASE WHEN pg_catalog.count(*) > 1 THEN 's' END),
			pg_catalog.string_agg(
				pg_catalog.concat_ws(' ', scope, name) || ': '
				|| CASE WHEN usable IS NULL THEN note
					ELSE pg_catalog.format('usable %s, committed %s, this plan %s%s',
						usable, committed, coalesce(requested::text, 'unlimited'),
						', remaining ' || remaining) END, E'\n'),
			'53400') END
	FROM pgpool_stats.check_plan(plan, against)
	WHERE fits IS NOT TRUE;
END;
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
RETURNS SETOF pgpool_stats.planned_limit
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT * FROM pgpool_stats.get_planned_limits(
		ARRAY[ROW(pool_size, max_overflow, instances, surge, replaces, role,
				  database, via, replaces)::pgpool_stats.planned_pool], against);
END;
COMMENT ON FUNCTION pgpool_stats.check_budget(int, int, int, int, text, name, name, text, text) IS
	'would this pool fit? a row for each limit';
