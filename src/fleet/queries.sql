--
-- What a server is asked: one query a view, of one row and one column.  Where
-- pgpool_stats is not loaded pg_stat_activity answers what it can.
--

CREATE FUNCTION pgpool_stats_fleet.get_query(kind text, mode text)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN kind = 'servers' THEN 'SELECT ''[]'''
	WHEN mode = 'extension' AND kind = 'overview' THEN $q$
		SELECT jsonb_build_object(
			'rows', (SELECT coalesce(jsonb_agg(to_jsonb(o)), '[]') FROM pgpool_stats.overview AS o),
			'pools', (
				SELECT coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('names', coalesce(names, '{}'))), '[]')
				FROM (
					SELECT pool, datname AS database, sum(connections) AS conns,
						sum(checked_out) AS checked_out, sum(waiting) AS waiting,
						CASE WHEN count(*) = count(max_size) THEN sum(max_size) END AS max_size,
						array_agg(DISTINCT status) AS statuses
					FROM pgpool_stats.pools GROUP BY 1, 2) AS p
				LEFT JOIN (
					SELECT pool, datname AS database, array_agg(DISTINCT instance) AS names
					FROM pgpool_stats.instances WHERE status <> 'gone' GROUP BY 1, 2) AS i
				ON i.pool = p.pool AND i.database IS NOT DISTINCT FROM p.database))$q$
	WHEN mode = 'extension' THEN
		pg_catalog.format('SELECT coalesce(jsonb_agg(to_jsonb(r)), ''[]'') FROM pgpool_stats.%I AS r', kind)
	WHEN kind IN ('pools', 'overview', 'budget') THEN $q$
		WITH backend AS (
			SELECT coalesce(nullif(regexp_replace(application_name, '\d+', '#', 'g'), ''), usename) AS pool,
				datname, usename, count(*) AS connections,
				count(*) FILTER (WHERE xact_start IS NOT NULL) AS in_xact,
				count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_xact
			FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
			GROUP BY 1, 2, 3
		), own_limit AS (
			SELECT 'server' AS scope, NULL::name AS name,
				current_setting('max_connections')::int AS conn_limit,
				current_setting('max_connections')::int
					- current_setting('superuser_reserved_connections')::int
					- coalesce(current_setting('reserved_connections', true), '0')::int AS usable,
				(SELECT coalesce(sum(connections), 0) FROM backend) AS used
			UNION ALL
			SELECT 'database', datname, nullif(datconnlimit, -1), nullif(datconnlimit, -1), sum(connections)
			FROM pg_database JOIN backend USING (datname) GROUP BY datname, datconnlimit
			UNION ALL
			SELECT 'role', rolname, nullif(rolconnlimit, -1), nullif(rolconnlimit, -1), sum(connections)
			FROM pg_roles JOIN backend ON usename = rolname GROUP BY rolname, rolconnlimit
		), budget AS (
			SELECT *, round(100.0 * used / nullif(usable, 0), 1) AS used_pct FROM own_limit
		), pools AS (
			SELECT *, 'activity' AS source FROM backend
		) $q$ || CASE kind
		WHEN 'overview' THEN $q$
			SELECT jsonb_build_object(
				'rows', (
					SELECT coalesce(jsonb_agg(to_jsonb(o)), '[]') FROM (
						SELECT '(server)' AS pool, NULL AS database, used AS conns,
							format('[%s] %s/%s', rpad(repeat('#', least(5, 5 * used / usable)::int), 5, '.'), used, usable) AS used,
							NULL AS status
						FROM own_limit WHERE scope = 'server'
						UNION ALL (
							SELECT pool, datname, sum(connections), sum(in_xact) || '/?', NULL FROM pools
							GROUP BY pool, datname ORDER BY sum(connections) DESC, pool)) AS o),
				'pools', (
					SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM (
						SELECT pool, datname AS database, sum(connections) AS conns
						FROM pools GROUP BY 1, 2) AS p))$q$
		ELSE pg_catalog.format('SELECT coalesce(jsonb_agg(to_jsonb(r)), ''[]'') FROM %I AS r', kind)
		END
	ELSE 'SELECT ''[]'''
END;
COMMENT ON FUNCTION pgpool_stats_fleet.get_query(text, text) IS
	'behind get_rows: what a server is asked';

-- What a server is: asked once a connection.  The collector is there where
-- pgpool_stats is loaded; the extension may be missing in this database.  What
-- is asked later finds nothing that somebody made there for it to find.
CREATE FUNCTION pgpool_stats_fleet.get_probe(timeout interval)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.format($q$
	SELECT pg_catalog.jsonb_build_object(
		'version', pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
		'mode', CASE WHEN loaded AND created THEN 'extension' ELSE 'activity' END,
		'note', nullif(pg_catalog.concat_ws('; ',
			CASE WHEN loaded AND NOT created THEN pg_catalog.format(
				'pgpool_stats is loaded, but no extension is created in database %%s', pg_catalog.current_database())
				WHEN NOT loaded THEN 'pgpool_stats is not loaded' END,
			CASE WHEN NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_catalog.format(
				'role %%s is no member of pg_read_all_stats and sees its own only', current_user) END), ''),
		'settings', pg_catalog.concat(pg_catalog.set_config('statement_timeout', '%s', false),
			pg_catalog.set_config('default_transaction_read_only', 'on', false),
			pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)))
	FROM (SELECT
		EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE backend_type = 'pgpool_stats collector') AS loaded,
		pg_catalog.to_regclass('pgpool_stats.overview') IS NOT NULL AS created) AS found$q$,
	(1000 * extract(epoch FROM timeout))::int);
COMMENT ON FUNCTION pgpool_stats_fleet.get_probe(interval) IS
	'behind get_rows: what a server is asked first';
