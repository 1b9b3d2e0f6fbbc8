--
-- Asking all servers side by side, over the asynchronous half of dblink.
-- A connection is named for its server and stays open as long as the session.
-- Connecting is the one thing that dblink does one after the other: who fails
-- there is left out for a minute.
--

-- A duration from a setting that anybody may set
CREATE FUNCTION pgpool_stats_fleet.get_duration(setting text, usual interval, longest interval)
RETURNS interval
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
BEGIN
	RETURN least(greatest(coalesce(
		nullif(current_setting('pgpool_stats_fleet.' || setting, true), '')::interval, usual), '0'), longest);
EXCEPTION WHEN data_exception THEN
	RAISE invalid_parameter_value USING
		MESSAGE = format('invalid value of pgpool_stats_fleet.%s: "%s"', setting,
			current_setting('pgpool_stats_fleet.' || setting, true)),
		DETAIL = 'Expected a duration, such as 2s.';
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_duration(text, interval, interval) IS
	'behind get_rows: timeout and max_age';

-- What this session remembers: of its connections what the servers are, and
-- who failed when.  A setting, because it works in a read-only transaction.
CREATE FUNCTION pgpool_stats_fleet.get_memory()
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN coalesce(nullif(pg_catalog.current_setting('pgpool_stats_fleet.memory', true), ''), '{}')::jsonb;
COMMENT ON FUNCTION pgpool_stats_fleet.get_memory() IS
	'behind get_rows: what the session knows of the servers';

CREATE FUNCTION pgpool_stats_fleet.remember(key text, value jsonb)
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
BEGIN ATOMIC
	SELECT set_config('pgpool_stats_fleet.memory',
		(CASE WHEN value IS NULL THEN get_memory() - key
			ELSE get_memory() || jsonb_build_object(key, value) END)::text, false);
END;
COMMENT ON FUNCTION pgpool_stats_fleet.remember(text, jsonb) IS
	'behind get_rows: what the session knows of the servers';

CREATE FUNCTION pgpool_stats_fleet.get_connection_name(name text, conninfo text)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.format('pgpool_stats_fleet %s %s', name, pg_catalog.md5(conninfo));
COMMENT ON FUNCTION pgpool_stats_fleet.get_connection_name(text, text) IS
	'behind get_rows: another conninfo is another connection';

-- Connect, if need be.  null, or why it failed.
-- From PostgreSQL 16 on dblink does not heed connect_timeout: of a host that accepts and
-- never answers it waits until somebody cancels the statement, which no handler may take
-- for a failure.  A lock of the session outlives that, and says so the next time.
CREATE FUNCTION pgpool_stats_fleet.get_connected(connection text, conninfo text, timeout interval)
RETURNS text
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
DECLARE
	attempt bigint := hashtextextended(connection, 0);
BEGIN
	IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 1
			AND (classid::bigint << 32 | objid::bigint) = attempt) THEN
		PERFORM pg_advisory_unlock_shared(attempt);
		RETURN 'no answer before the last attempt to connect was cancelled';
	END IF;
	IF connection = ANY (dblink_get_connections()) THEN
		-- somebody cancelled us while it was busy
		IF dblink_is_busy(connection) = 0 THEN
			RETURN NULL;
		END IF;
		PERFORM dblink_disconnect(connection);
	END IF;
	PERFORM remember(connection, NULL);
	PERFORM pg_advisory_lock_shared(attempt);
	PERFORM dblink_connect(connection, CASE
		WHEN conninfo ~ '=' THEN format('connect_timeout=%s application_name=pgpool_stats_fleet %s',
			ceil(extract(epoch FROM timeout)), conninfo)
		ELSE conninfo END);
	PERFORM pg_advisory_unlock_shared(attempt);
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	PERFORM pg_advisory_unlock_shared(attempt);
	-- the second line of libpq says more than dblink's "could not establish connection"
	DECLARE
		reason text;
	BEGIN
		GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
		RETURN coalesce(nullif(btrim(regexp_replace(reason, '\s+', ' ', 'g')), ''), SQLERRM);
	END;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_connected(text, text, interval) IS
	'behind get_rows: connect to a server';

-- Send a query to each connection and take what comes within the time; null
-- asks nothing.  Who does not answer is disconnected: it may hang for long.
-- dblink says an error of there as a NOTICE, so that what cancels us here is
-- never taken for one.
CREATE FUNCTION pgpool_stats_fleet.get_results(connections text[], queries text[], timeout interval,
	OUT i int, OUT result jsonb, OUT error text, OUT answered_in float8)
RETURNS SETOF record
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
SET client_min_messages = warning
AS $$
DECLARE
	started timestamptz := clock_timestamp();
	waiting int[] := '{}';
	busy boolean;
	pause float8 := 0.001;
BEGIN
	FOR n IN 1 .. coalesce(array_upper(queries, 1), 0) LOOP
		IF queries[n] IS NOT NULL THEN
			waiting := waiting || n;
			PERFORM dblink_send_query(connections[n], queries[n]);
		END IF;
	END LOOP;
	LOOP
		FOREACH i IN ARRAY waiting LOOP
			busy := dblink_is_busy(connections[i]) = 1;
			CONTINUE WHEN busy AND clock_timestamp() < started + timeout;
			result := NULL;
			error := NULL;
			IF busy THEN
				error := format('no answer within %s s', extract(epoch FROM timeout)::float8);
			ELSE
				SELECT r::jsonb INTO result
				FROM dblink_get_result(connections[i], false) AS r;
				IF result IS NULL THEN
					error := btrim(regexp_replace(dblink_error_message(connections[i]), '\s+', ' ', 'g'));
				ELSE
					-- the end of results, without which the next query is refused
					PERFORM FROM dblink_get_result(connections[i], false);
				END IF;
			END IF;
			IF result IS NULL THEN
				PERFORM dblink_disconnect(connections[i]);
			END IF;
			answered_in := 1000 * extract(epoch FROM clock_timestamp() - started);
			waiting := array_remove(waiting, i);
			RETURN NEXT;
		END LOOP;
		EXIT WHEN waiting = '{}';
		PERFORM pg_sleep(pause);
		pause := least(1.5 * pause, 0.02);
	END LOOP;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_results(text[], text[], interval) IS
	'behind get_rows: ask all, and wait for the last';

-- Ask these servers: what each is, when it is newly connected, then the query
-- of its mode.
CREATE FUNCTION pgpool_stats_fleet.get_answers_once(names text[], extension_queries text[],
	activity_queries text[])
RETURNS SETOF pgpool_stats_fleet.answer
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
DECLARE
	timeout interval := greatest(get_duration('timeout', '2 s', '1 min'), '100 ms');
	answers answer[] := '{}';
	connections text[] := '{}';
	queries text[] := '{}';
	conninfo text;
	known jsonb;
	reply record;
BEGIN
	FOR i IN 1 .. cardinality(names) LOOP
		conninfo := (SELECT s.conninfo FROM server_list AS s WHERE name = names[i]);
		connections[i] := get_connection_name(names[i], conninfo);
		answers[i].server := names[i];
		answers[i].asked_at := clock_timestamp();
		answers[i].reused := coalesce(connections[i] = ANY (dblink_get_connections()), false);
		answers[i].error := CASE WHEN conninfo IS NULL THEN 'no such server'
			ELSE get_connected(connections[i], conninfo, timeout) END;
		IF answers[i].error IS NULL AND NOT get_memory() ? connections[i] THEN
			queries[i] := get_probe(timeout);
		END IF;
	END LOOP;

	FOR reply IN SELECT * FROM get_results(connections, queries, timeout) LOOP
		answers[reply.i].error := reply.error;
		answers[reply.i].answered_in := reply.answered_in;
		IF reply.error IS NULL THEN
			PERFORM remember(connections[reply.i], reply.result);
		END IF;
	END LOOP;

	queries := '{}';
	FOR i IN 1 .. cardinality(names) LOOP
		IF answers[i].error IS NULL THEN
			known := get_memory() -> connections[i];
			answers[i].version := known ->> 'version';
			answers[i].mode := known ->> 'mode';
			answers[i].note := known ->> 'note';
			queries[i] := CASE answers[i].mode WHEN 'extension'
				THEN extension_queries[i] ELSE activity_queries[i] END;
		END IF;
	END LOOP;
	FOR reply IN SELECT * FROM get_results(connections, queries, timeout) LOOP
		answers[reply.i].answer := reply.result;
		answers[reply.i].error := reply.error;
		answers[reply.i].answered_in := reply.answered_in;
	END LOOP;
	RETURN QUERY SELECT * FROM unnest(answers);
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_answers_once(text[], text[], text[]) IS
	'behind get_rows: ask these servers';

-- The same; a connection that broke since it was last used is made anew, and
-- who answered is asked again with it: all answers are of one moment.
CREATE FUNCTION pgpool_stats_fleet.get_answers(names text[], extension_queries text[],
	activity_queries text[])
RETURNS SETOF pgpool_stats_fleet.answer
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
DECLARE
	answers answer[] := ARRAY(
		SELECT a FROM get_answers_once(names, extension_queries, activity_queries) AS a);
	broken int[] := ARRAY(
		SELECT i FROM generate_subscripts(answers, 1) AS i
		WHERE answers[i].reused AND answers[i].error !~ '^no answer within');
	again int[] := CASE WHEN broken = '{}' THEN '{}' ELSE broken || ARRAY(
		SELECT i FROM generate_subscripts(answers, 1) AS i WHERE answers[i].error IS NULL) END;
BEGIN
	RETURN QUERY
		SELECT (answers[i]).* FROM generate_subscripts(answers, 1) AS i
		WHERE i <> ALL (again)
		UNION ALL
		SELECT a.* FROM get_answers_once(
			ARRAY(SELECT names[i] FROM unnest(again) AS i),
			ARRAY(SELECT extension_queries[i] FROM unnest(again) AS i),
			ARRAY(SELECT activity_queries[i] FROM unnest(again) AS i)) AS a;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.get_answers(text[], text[], text[]) IS
	'behind get_rows and check_plan: ask these servers';
