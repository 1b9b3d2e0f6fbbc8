--
-- The list of servers.  Nothing secret stands in it: a password comes from a
-- passfile or a service file of the server's own operating system user, or from
-- the user mapping of a foreign server.
--

CREATE TABLE pgpool_stats_fleet.server_list (
	name text PRIMARY KEY CHECK (name ~ '^[!-~]{1,63}$' AND name !~ '^\('),
	conninfo text NOT NULL
);
COMMENT ON TABLE pgpool_stats_fleet.server_list IS
	'behind the view servers: whom to ask, and where';
SELECT pg_catalog.pg_extension_config_dump('pgpool_stats_fleet.server_list', '');

-- What one of them says to one question
CREATE TYPE pgpool_stats_fleet.answer AS (
	server text,
	asked_at timestamptz,
	answer jsonb,
	error text,
	note text,
	version text,
	mode text,
	answered_in float8,
	reused boolean
);

-- What they said last, for who asks again soon.  Not on a standby.
CREATE UNLOGGED TABLE pgpool_stats_fleet.answer_cache (
	kind text,
	server text,
	said pgpool_stats_fleet.answer,
	PRIMARY KEY (kind, server)
);
COMMENT ON TABLE pgpool_stats_fleet.answer_cache IS
	'behind the views: what the servers said last';

CREATE FUNCTION pgpool_stats_fleet.add_server(name text, conninfo text)
RETURNS void
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_variable
BEGIN
	IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
		RAISE insufficient_privilege
			USING MESSAGE = 'only a superuser can add a server';
	END IF;
	IF name !~ '^[!-~]{1,63}$' OR name ~ '^\(' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('invalid name of a server: "%s"', name),
			DETAIL = 'Expected 1 to 63 printable ASCII characters without spaces, the first of them no parenthesis.';
	END IF;
	IF conninfo ~* '\m(ssl)?password\s*=' OR conninfo ~ '^postgres(ql)?://[^/@]*:[^/@]*@' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'a password must not stand in the connection string',
			HINT = 'Use a passfile, a service file, or the name of a foreign server of dblink_fdw with a user mapping.';
	END IF;
	IF conninfo !~ '=' AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = conninfo)
		OR conninfo ~ '^postgres(ql)?://' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('invalid connection string: "%s"', conninfo),
			DETAIL = 'Expected keywords and values, such as ''host=db1 dbname=postgres user=monitor'', or the name of a foreign server.';
	END IF;
	PERFORM remove_server(name);
	INSERT INTO server_list VALUES (name, conninfo);
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.add_server(text, text) IS
	'a server to ask; again: its connection changes';

CREATE FUNCTION pgpool_stats_fleet.remove_server(name text)
RETURNS boolean
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_variable
BEGIN
	DELETE FROM answer_cache WHERE server = name;
	PERFORM remember('failed ' || name, NULL);
	DELETE FROM server_list AS s WHERE s.name = name;
	RETURN FOUND;
END;
$$;
COMMENT ON FUNCTION pgpool_stats_fleet.remove_server(text) IS
	'ask it no more; false: there was none of this name';

REVOKE ALL ON FUNCTION pgpool_stats_fleet.add_server(text, text),
	pgpool_stats_fleet.remove_server(text) FROM PUBLIC;
