--
-- For checkers.  Never OK because blind: a CASE looks at nothing it does not
-- need, so that a server without the library has an answer, too.
--

CREATE FUNCTION pgpool_stats.check_status(pool text DEFAULT NULL)
RETURNS TABLE (
	code int,
	status text,
	message text,
	perfdata text
)
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH alert AS (
		SELECT a.severity_code, a.since, a.message,
			   a.silenced_until IS NOT NULL AS silenced
		FROM pgpool_stats.alerts AS a
		WHERE a.state = 'firing' AND
			  (check_status.pool IS NULL OR a.pool = check_status.pool)
	), said AS (
		SELECT pg_catalog.max(severity_code) AS code,
			   pg_catalog.concat_ws(', ',
				   NULLIF(pg_catalog.count(*) FILTER (WHERE severity_code = 2), 0) || ' critical',
				   NULLIF(pg_catalog.count(*) FILTER (WHERE severity_code = 1), 0) || ' warning')
			   || ': '
			   || (pg_catalog.array_agg(message ORDER BY severity_code DESC, since))[1]
			   || CASE WHEN pg_catalog.count(*) > 1
					   THEN pg_catalog.format(' (+%s more)', pg_catalog.count(*) - 1)
					   ELSE '' END AS message
		FROM alert
		WHERE NOT silenced
	), used AS (
		SELECT CASE WHEN check_status.pool IS NULL
					THEN pg_catalog.format('pools: %s', pg_catalog.count(*))
					ELSE pg_catalog.format('%s: %s of %s connections lent',
						check_status.pool,
						coalesce(pg_catalog.sum(checked_out)::text, '?'),
						coalesce(pg_catalog.sum(max_size)::text, '?')) END AS message,
			   pg_catalog.concat_ws(' ',
				   CASE WHEN check_status.pool IS NOT NULL
						THEN 'connections=' || pg_catalog.sum(connections) END,
				   'lent=' || pg_catalog.sum(checked_out) || ';;;0;'
					   || CASE WHEN pg_catalog.count(*) = pg_catalog.count(max_size)
							   THEN pg_catalog.sum(max_size)::text ELSE '' END,
				   'waiting=' || pg_catalog.sum(waiting),
				   'exhausted_instances=' || pg_catalog.sum(exhausted_instances)) AS perfdata
		FROM pgpool_stats.pools AS p
		WHERE check_status.pool IS NULL OR p.pool = check_status.pool
	), server AS (
		SELECT pg_catalog.format('%s of %s connections used', used, all_of_them) AS message,
			   pg_catalog.format('connections=%s;;;0;%s', used, all_of_them) AS perfdata
		FROM (SELECT b.used, CASE WHEN b.used > b.usable THEN b.conn_limit
								  ELSE b.usable END AS all_of_them
			  FROM pgpool_stats.budget AS b
			  WHERE b.scope = 'server' AND check_status.pool IS NULL) AS server
	), blind AS (
		SELECT CASE
			WHEN NOT i.loaded
				THEN 'pgpool_stats is not in shared_preload_libraries'
			WHEN i.last_pass IS NULL
				THEN 'the collector has not looked yet'
			WHEN pg_catalog.clock_timestamp() - i.last_pass >
				 GREATEST(interval '10 s',
						  5 * pg_catalog.current_setting('pgpool_stats.sample_interval')::interval)
				THEN pg_catalog.format('the collector last looked at %s', i.last_pass)
			WHEN check_status.pool IS NULL AND NOT i.sees_all
				THEN pg_catalog.format('only your own role''s pools are visible: GRANT pg_monitor TO %I',
									   CURRENT_USER)
			WHEN check_status.pool IS NOT NULL AND NOT EXISTS (
					SELECT FROM pgpool_stats.pools AS p
					WHERE p.pool = check_status.pool)
				THEN pg_catalog.format('there is no pool "%s"%s', check_status.pool,
					CASE WHEN i.sees_all THEN '' ELSE ' that you may see' END)
			-- what is critical is, whatever else there may be
			WHEN 2 = (SELECT s.code FROM said AS s)
				THEN NULL
			WHEN pgpool_stats.get_alerts_left_out(check_status.pool) > 0
				THEN pg_catalog.format('%s alerts left out, raise pgpool_stats.max_alerts%s',
					pgpool_stats.get_alerts_left_out(check_status.pool),
					(SELECT '; ' || s.message FROM said AS s))
			WHEN check_status.pool IS NOT NULL
				THEN check_status.pool || ': no live instance since '
					|| pgpool_stats.get_missing_since(check_status.pool)::timestamptz(0)
					|| coalesce((SELECT '; ' || s.message FROM said AS s), '')
			END AS message
		FROM pgpool_stats.info AS i
	), verdict AS (
		SELECT CASE WHEN b.message IS NOT NULL THEN 3
					ELSE coalesce((SELECT s.code FROM said AS s), 0) END AS code,
			   CASE WHEN b.message IS NOT NULL THEN b.message
					ELSE coalesce((SELECT s.message FROM said AS s),
						pg_catalog.concat_ws(', ',
							(SELECT s.message FROM server AS s),
							(SELECT u.message FROM used AS u),
							(SELECT 'alerts silenced: ' || NULLIF(pg_catalog.count(*), 0)
							 FROM alert AS a WHERE a.silenced))) END AS message,
			   CASE WHEN b.message IS NULL
					THEN pg_catalog.concat_ws(' ',
						(SELECT s.perfdata FROM server AS s),
						(SELECT u.perfdata FROM used AS u)) END AS perfdata
		FROM blind AS b
	)
	SELECT v.code,
		   (ARRAY['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'])[v.code + 1],
		   pg_catalog.translate(v.message, '|', '/'),
		   v.perfdata
	FROM verdict AS v;
END;
COMMENT ON FUNCTION pgpool_stats.check_status(text) IS
	'one line for Nagios; UNKNOWN if not all can be seen';
