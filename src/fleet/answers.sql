--
-- What the servers say, asked or from the cache, as rows; and the views that
-- are of the fleet alone.
--

-- Whoever may read asks; an answer of the last max_age is not asked for again,
-- by whichever session.  Who failed is left out for leave_out.
CREATE FUNCTION pgpool_stats_fleet.get_all_answers(kind text)
RETURNS SETOF pgpool_stats_fleet.answer
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_variable
DECLARE
	max_age interval := get_duration('max_age', '5 s', '1 h');
	leave_out interval := get_duration('leave_out', '1 min', '1 h');
	readable boolean := NOT pg_is_in_recovery();
	storable boolean := readable
		AND current_setting('transaction_read_only') = 'off'
		AND current_setting('transaction_isolation') = 'read committed';
	answers answer[] := '{}';
	names text[];
	said answer;
BEGIN
	PERFORM dblink_disconnect(c) FROM unnest(dblink_get_connections()) AS c
	WHERE c LIKE 'pgpool\_stats\_fleet %' AND c NOT IN (
		SELECT get_connection_name(name, conninfo) FROM server_list);

	IF readable THEN
		answers := ARRAY(
			SELECT DISTINCT ON (c.server) c.said FROM answer_cache AS c
			WHERE c.kind = kind AND (c.said).error IS NULL
				AND (c.said).asked_at > clock_timestamp() - max_age
				OR (c.said).error IS NOT NULL
				AND (c.said).asked_at > clock_timestamp() - leave_out
			ORDER BY c.server, (c.said).asked_at DESC);
	END IF;
	answers := answers || ARRAY(
		SELECT jsonb_populate_record(NULL::answer, get_memory() -> ('failed ' || name))
		FROM server_list
		WHERE (get_memory() #>> ARRAY['failed ' || name, 'asked_at'])::timestamptz
				> clock_timestamp() - leave_out
			AND name NOT IN (SELECT server FROM unnest(answers)));

	-- a pool moves from one to another: what is shown together was asked together
	IF EXISTS (SELECT FROM server_list WHERE name NOT IN (SELECT server FROM unnest(answers))) THEN
		answers := ARRAY(SELECT a FROM unnest(answers) AS a WHERE a.error IS NOT NULL);
	END IF;
	names := ARRAY(
		SELECT name FROM server_list
		WHERE name NOT IN (SELECT server FROM unnest(answers)) ORDER BY name);
	FOR said IN SELECT * FROM get_answers(names,
			array_fill(get_query(kind, 'extension'), ARRAY[cardinality(names)]),
			array_fill(get_query(kind, 'activity'), ARRAY[cardinality(names)])) LOOP
		answers := answers || said;
		-- nobody waits for another's transaction
		IF storable AND pg_try_advisory_xact_lock(hashtext('pgpool_stats_fleet'), hashtext(kind)) THEN
			INSERT INTO answer_cache VALUES (kind, said.server, said)
			ON CONFLICT ON CONSTRAINT answer_cache_pkey DO UPDATE SET said = excluded.said;
		ELSIF said.error IS NOT NULL THEN
			PERFORM remember('failed ' || said.server, to_jsonb(said));
		END IF;
	END LOOP;
	RETURN QUERY SELECT * FROM unnest(answers) AS a ORDER BY a.server;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_all_answers(text) IS
	'behind the views: what all servers say';

-- Of a status, maybe with its age, how bad it is: 1 is worst
CREATE FUNCTION pgpool_stats_fleet.get_rank(status text)
RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(pg_catalog.array_position(
	'{unreachable,critical,stalled,exhausted,waiting,silent,lost,warning,full,ok,gone}'::text[],
	pg_catalog.split_part(status, ' ', 1)), 99);
COMMENT ON FUNCTION pgpool_stats_fleet.get_rank(text) IS
	'behind overview: worst first';

-- The overview of all: who does not answer is seen, and a pool of several
-- servers has a row (all) before theirs.
CREATE FUNCTION pgpool_stats_fleet.get_overview_rows()
RETURNS TABLE (server text, answer jsonb)
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
BEGIN ATOMIC
	WITH said AS MATERIALIZED (
		SELECT * FROM pgpool_stats_fleet.get_all_answers('overview')
	), total AS (
		-- who is at two servers is one, but each has local clients of its own;
		-- where it has no connection it need not have told how many it may have
		SELECT p.pool, p.database, jsonb_agg(names) FILTER (WHERE names IS NOT NULL) AS names,
			sum(conns) AS conns,
			coalesce(sum(checked_out)::text, '-') || '/' || coalesce(CASE
				WHEN bool_and(max_size IS NOT NULL OR conns = 0) THEN sum(max_size)::text END, '?') AS used,
			coalesce(sum(waiting) || CASE WHEN count(*) > count(waiting) THEN '+' ELSE '' END, '-') AS wait,
			jsonb_agg(statuses) AS statuses
		FROM said CROSS JOIN LATERAL jsonb_to_recordset(said.answer -> 'pools') AS p
			(pool text, database text, names jsonb, conns bigint, checked_out bigint,
			 max_size bigint, waiting bigint, statuses text[])
		GROUP BY 1, 2 HAVING count(*) > 1
	), shown AS (
		SELECT said.server, jsonb_build_object('pool', '(server)', 'status', 'unreachable') AS answer
		FROM said WHERE said.error IS NOT NULL
		UNION ALL
		SELECT said.server, row
		FROM said CROSS JOIN LATERAL jsonb_array_elements(said.answer -> 'rows') AS row
		UNION ALL
		SELECT '(all)', jsonb_build_object(
			'pool', pool, 'database', database, 'inst', CASE WHEN names IS NOT NULL THEN (
				SELECT count(DISTINCT name) FILTER (WHERE name <> '"[local]"') + count(*) FILTER (WHERE name = '"[local]"')
				FROM jsonb_path_query(names, '$[*][*]') AS name) END,
			'conns', conns, 'used', used, 'wait', wait,
			'status', (
				SELECT status #>> '{}' FROM jsonb_path_query(statuses, '$[*][*]') AS status
				ORDER BY pgpool_stats_fleet.get_rank(status #>> '{}') LIMIT 1))
		FROM total
	), ranked AS (
		SELECT shown.server, shown.answer, shown.answer ->> 'pool' AS pool,
			shown.answer ->> 'database' AS database,
			pgpool_stats_fleet.get_rank(shown.answer ->> 'status') AS rank
		FROM shown
	)
	SELECT ranked.server, ranked.answer
	FROM ranked
	ORDER BY pool <> '(server)',
		CASE WHEN pool = '(server)' THEN rank
			ELSE min(rank) OVER (PARTITION BY pool, database) END,
		pool, database, ranked.server <> '(all)', rank, ranked.server;
END;
COMMENT ON FUNCTION pgpool_stats_fleet.get_overview_rows() IS
	'behind overview: with totals of pools on several servers';

CREATE FUNCTION pgpool_stats_fleet.get_rows(kind text)
RETURNS TABLE (server text, answer jsonb)
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
BEGIN
	IF kind = 'overview' THEN
		RETURN QUERY SELECT * FROM get_overview_rows();
	ELSE
		RETURN QUERY
			SELECT said.server, r.row
			FROM get_all_answers(kind) AS said
				CROSS JOIN LATERAL jsonb_array_elements(said.answer) WITH ORDINALITY AS r(row, i)
			ORDER BY said.server, i;
	END IF;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_rows(text) IS
	'behind the views: their rows of all servers';

CREATE VIEW pgpool_stats_fleet.servers AS
	SELECT server AS name, error IS NULL AS reachable, answered_in, version, mode,
		coalesce(error, note) AS error
	FROM pgpool_stats_fleet.get_all_answers('servers');
GRANT SELECT ON pgpool_stats_fleet.servers TO pg_monitor;
COMMENT ON VIEW pgpool_stats_fleet.servers IS
	'The servers that are asked, and who answers';
COMMENT ON COLUMN pgpool_stats_fleet.servers.name IS 'Name of the server, by add_server';
COMMENT ON COLUMN pgpool_stats_fleet.servers.reachable IS 'Did it answer? false also for a minute after a failure';
COMMENT ON COLUMN pgpool_stats_fleet.servers.answered_in IS 'How long its answer took, ms';
COMMENT ON COLUMN pgpool_stats_fleet.servers.version IS 'Its version of PostgreSQL';
COMMENT ON COLUMN pgpool_stats_fleet.servers.mode IS 'extension, or activity: pg_stat_activity only';
COMMENT ON COLUMN pgpool_stats_fleet.servers.error IS 'Why it does not answer, or what it cannot tell';

-- A plan over servers: each pool of it names the servers that get it whole.
CREATE FUNCTION pgpool_stats_fleet.check_plan(plan jsonb, against text DEFAULT 'peak')
RETURNS TABLE (
	server text,
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
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
	names text[];
	plans jsonb[];
BEGIN
	IF EXISTS (
		SELECT FROM jsonb_path_query(plan, '$[*]') AS pool
		WHERE (pool ?& '{servers,role,database}' AND jsonb_typeof(pool -> 'servers') = 'array') IS NOT TRUE) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'a planned pool must have "servers", "role" and "database"',
			DETAIL = 'Such as [{"servers": ["db1", "db2"], "role": "orders", "database": "shop", "pool_size": 5, "instances": 4}].';
	END IF;
	SELECT array_agg(s), array_agg(pools) INTO names, plans
	FROM (
		SELECT s, jsonb_agg(pool - 'servers') AS pools
		FROM jsonb_path_query(plan, '$[*]') AS pool
			CROSS JOIN LATERAL jsonb_array_elements_text(pool -> 'servers') AS s
		GROUP BY 1 ORDER BY 1) AS of_server;
	RETURN QUERY
		SELECT said.server, l.scope, l.name, l.usable, l.committed, l.requested, l.remaining, l.fits,
			l.uncapped, coalesce(l.note, said.error)
		FROM get_answers(names,
				ARRAY(SELECT format(
					'SELECT coalesce(jsonb_agg(to_jsonb(r)), ''[]'') FROM pgpool_stats.check_plan(%L, %L) AS r',
					p, against) FROM unnest(plans) AS p),
				ARRAY(SELECT 'SELECT ''[{"note": "pgpool_stats is needed there to judge a plan"}]'''
					FROM unnest(plans))) AS said
			LEFT JOIN LATERAL jsonb_to_recordset(said.answer) AS l
				(scope text, name name, usable int, committed bigint, requested bigint, remaining bigint,
				 fits boolean, uncapped int, note text) ON true
		ORDER BY said.server, l.remaining;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.check_plan(jsonb, text) IS
	'would these pools fit on their servers? a row for each limit';
