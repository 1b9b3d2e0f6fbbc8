-- One statement, so that all parts of the page are of one moment.
CREATE FUNCTION pgpool_stats.report_html(since interval DEFAULT '24 hours')
RETURNS text
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH base AS MATERIALIZED (
		SELECT least(pgpool_stats.get_page_window(since), '10 years') AS asked,
			clock_timestamp() AS as_of
	), info AS MATERIALIZED (
		SELECT * FROM pgpool_stats.info
	), alert AS MATERIALIZED (
		SELECT a FROM pgpool_stats.alerts AS a
	), fires AS MATERIALIZED (
		SELECT a FROM alert
		WHERE (a).state = 'firing' AND (a).silenced_until IS NULL
	), pool AS MATERIALIZED (
		SELECT p FROM pgpool_stats.pools AS p
	), worst AS MATERIALIZED (
		-- what fires for a pool, or for what it needs: its role, its database, its pooler
		SELECT f.pool, f.datname, f.usename, max(f.code) AS code,
			(array_agg(f.since ORDER BY f.code DESC, f.since))[1] AS since
		FROM (
			SELECT (a).severity_code AS code, (a).since, (a).pool, (a).datname, (a).usename
			FROM fires
			WHERE (a).pool IS NOT NULL AND (a).usename IS NOT NULL
			UNION ALL
			-- the first condition is the second's: without it, all alerts are compared with all pools
			SELECT (a).severity_code, (a).since, (p).pool, (p).datname, (p).usename
			FROM fires CROSS JOIN pool
			WHERE ((a).pool IS NULL OR (a).usename IS NULL)
				AND ((a).pool IS NULL AND ((a).usename = (p).usename OR (a).datname = (p).datname)
					OR (a).usename IS NULL AND (a).pool = (p).via)
		) AS f
		GROUP BY 1, 2, 3
	), firing AS MATERIALIZED (
		SELECT (a).pool, (a).datname, (a).usename, max((a).severity_code) AS code,
			(array_agg(concat_ws(' by ', pgpool_stats.get_page_text((a).cause), pgpool_stats.get_page_text((a).culprit))
				ORDER BY (a).severity_code DESC, (a).since) FILTER (WHERE (a).cause IS NOT NULL))[1] AS cause,
			string_agg(DISTINCT replace((a).rule, '_', ' '), ', ') AS rules,
			(array_agg(pgpool_stats.get_page_text((a).message) ORDER BY (a).severity_code DESC, (a).since))[1] AS message,
			count(*) AS alerts
		FROM fires
		WHERE (a).pool IS NOT NULL
		GROUP BY 1, 2, 3
	), load AS MATERIALIZED (
		SELECT l.pool, l.datname, l.usename, l.cause FROM pgpool_stats.load AS l
	), past AS MATERIALIZED (
		SELECT h.pool, h.datname, h.usename, min(h.bucket_start) AS first, array_agg(h) AS history
		FROM pgpool_stats.history AS h
		GROUP BY 1, 2, 3
	), frame AS MATERIALIZED (
		-- steps of 1 and of 10 minutes; up to six in one where there are many pools
		SELECT b.as_of, b.asked, k.first AS kept, s.start,
			k.per, h.n AS hour_n, date_trunc('minute', b.as_of) - (h.n * k.per - 1) * interval '1 min' AS hour_first,
			d.n AS day_n, date_bin('10 min', b.as_of, 'epoch') - (d.n * k.per - 1) * interval '10 min' AS day_first
		FROM base AS b
			CROSS JOIN (SELECT min(first) AS first, greatest(least(count(*) / 8, 6), 1)::int AS per FROM past) AS k
			CROSS JOIN LATERAL (SELECT greatest(b.as_of - least(b.asked, '24 hours'), k.first) AS start) AS s
			CROSS JOIN LATERAL (SELECT extract(epoch FROM b.as_of - s.start) / 60 AS minutes) AS m
			CROSS JOIN LATERAL (SELECT ceil(greatest(least(m.minutes, 60), 5) / k.per)::int AS n) AS h
			CROSS JOIN LATERAL (SELECT CASE WHEN m.minutes <= 60 THEN 0 ELSE ceil(m.minutes / 10 / k.per) END::int AS n) AS d
	), word AS MATERIALIZED (
		SELECT *, 'last ' || CASE WHEN as_of - start >= '59 min' THEN 'hour'
				ELSE ceil(extract(epoch FROM as_of - start) / 60)::text || ' min' END AS hour,
			'last ' || CASE WHEN day_n * per = 144 THEN '24 h'
				ELSE pgpool_stats.get_page_age(start, as_of) END AS day
		FROM frame
	), axis AS MATERIALIZED (
		-- what charts are of: the day, if there is more than an hour, and the hour
		SELECT a.*, w.per
		FROM word AS w, LATERAL (VALUES
			('d', w.day, interval '10 min', w.day_first, w.day_n),
			('h', w.hour, interval '1 min', w.hour_first, w.hour_n)) AS a (class, title, bucket, first, n)
		WHERE a.n > 0
	), ranked AS MATERIALIZED (
		SELECT row_number() OVER (ORDER BY coalesce(o.code, 0) DESC,
				array_position('{stalled,exhausted,waiting,silent,lost,full,ok}', (c.p).status) NULLS LAST,
				(c.p).source = 'discovery', (c.p).fullest_pct DESC NULLS LAST, (c.p).connections DESC,
				(c.p).pool COLLATE "C", (c.p).datname, (c.p).usename) AS place,
			c.p, s.colour, s.worse, o.code, o.since, f.message, f.alerts,
			coalesce(f.cause, '<small>' || f.rules || '</small>', '<small>' || pgpool_stats.get_page_text(l.cause) || '</small>') AS why
		FROM pool AS c
			LEFT JOIN firing AS f ON f.pool = (c.p).pool AND f.datname = (c.p).datname AND f.usename = (c.p).usename
			LEFT JOIN worst AS o ON o.pool = (c.p).pool AND o.datname = (c.p).datname AND o.usename = (c.p).usename
			CROSS JOIN LATERAL (SELECT pgpool_stats.get_page_colour((c.p).status, o.code) AS colour,
				o.code > CASE WHEN (c.p).status IN ('stalled', 'exhausted') THEN 2
					WHEN (c.p).status IN ('waiting', 'silent', 'lost') THEN 1 ELSE 0 END AS worse) AS s
			LEFT JOIN load AS l ON l.pool = (c.p).pool AND l.datname = (c.p).datname AND l.usename = (c.p).usename
	), shown AS MATERIALIZED (
		SELECT r.*, pgpool_stats.get_page_status(
				-- as in overview: the status, unless what fires is worse than that says
				CASE WHEN r.worse THEN (ARRAY['warning', 'critical'])[r.code] ELSE (r.p).status END,
				CASE WHEN r.worse THEN r.since ELSE (r.p).status_since END, r.colour, b.as_of) AS status,
			h.history, (r.p).pool, (r.p).datname, (r.p).usename
		FROM ranked AS r CROSS JOIN base AS b
			LEFT JOIN past AS h ON h.pool = (r.p).pool AND h.datname = (r.p).datname AND h.usename = (r.p).usename
		WHERE r.place <= 50
	), of AS MATERIALIZED (
		SELECT i.pool, i.datname, i.usename, array_agg(i) AS instances
		FROM pgpool_stats.instances AS i
		GROUP BY 1, 2, 3
	), size AS MATERIALIZED (
		SELECT s FROM pgpool_stats.sizing AS s
	), session AS MATERIALIZED (
		SELECT s FROM pgpool_stats.sessions AS s
	), used AS MATERIALIZED (
		SELECT u, row_number() OVER () AS n FROM pgpool_stats.usage AS u
	), bound AS MATERIALIZED (
		SELECT b FROM pgpool_stats.budget AS b
	), whole AS (
		-- of all pools together
		SELECT array_agg(jsonb_populate_record(NULL::pgpool_stats.history, to_jsonb(h))) AS history
		FROM (
			SELECT h.bucket_start, h.bucket, sum(h.sessions) AS sessions, sum(h.idle_in_xact) AS idle_in_xact,
				sum(h.lock) AS lock, sum(h.lwlock) AS lwlock, sum(h.io) AS io, sum(h.client) AS client,
				sum(h.other) AS other, sum(h.cpu) AS cpu
			FROM past, unnest(past.history) AS h
			GROUP BY 1, 2
		) AS h
	), part AS (
		SELECT 2 AS place, 'now' AS id, 'Now' AS short, 'What is wrong now' AS title,
			pgpool_stats.get_page_alerts(array_agg(a), max(as_of)) AS text
		FROM word LEFT JOIN alert ON true
		UNION ALL
		SELECT 3, 'pools', 'Pools', 'Pools, worst first' || (SELECT format(
				' <small>right, how full the fullest instance was: %s; red, nothing was left</small>', string_agg(title, ', and ' ORDER BY class))
				FROM axis),
			concat('<ol class=pools>', string_agg(pgpool_stats.get_page_line(s.place, s.p, s.status, s.colour, s.why,
				(SELECT string_agg(pgpool_stats.get_page_strip(s.history, a.bucket, a.first, a.per, a.n, a.class, a.title), '' ORDER BY a.class)
					FROM axis AS a)),
				'' ORDER BY s.place), E'</ol>\n',
			(SELECT format(E'<p id=more>And %s more pools with %s connections: see the view pools.</p>\n',
					count(*), sum((r.p).connections)) FROM ranked AS r WHERE r.place > 50 HAVING count(*) > 0),
			CASE WHEN count(*) = 0 THEN '<p>No pool that you may see.</p>' END)
		FROM shown AS s
		UNION ALL
		SELECT 4, 'load', 'Load', 'Load of all pools',
			coalesce('<div class=frames>' || string_agg(format('<div class="charts %s"><p>%s</p>', a.class, a.title)
					|| pgpool_stats.get_page_load(whole.history, a.bucket, a.first, a.per, a.n) || '</div>', '' ORDER BY a.class)
				|| E'</div>\n', E'<p>None yet.</p>\n')
			|| E'<p class=note>Load is how many connections were in a transaction at once, and what they did in it.</p>\n'
		FROM axis AS a, whole
		UNION ALL
		SELECT 5, 'each', 'Each pool', 'Each pool',
			string_agg(pgpool_stats.get_page_pool(s.place, s.p, s.status, s.colour,
				'<p class=said>' || s.message || CASE WHEN s.alerts > 1
					THEN format(' <a href="#now">and %s more</a>', s.alerts - 1) ELSE '' END || E'</p>\n',
				of.instances, size.s, session.s,
				-- a line of charts each
				(SELECT string_agg(format('<div class="charts %s"><p>%s</p>', a.class, a.title) || nullif(concat(
						pgpool_stats.get_page_load(s.history, a.bucket, a.first, a.per, a.n),
						pgpool_stats.get_page_demand(s.history, a.bucket, a.first, a.per, a.n, (s.p).max_size),
						pgpool_stats.get_page_connects(s.history, a.bucket, a.first, a.per, a.n)), '')
					|| E'</div>\n', '' ORDER BY a.class) FROM axis AS a)),
				'' ORDER BY s.place)
		FROM shown AS s
			LEFT JOIN of ON of.pool = s.pool AND of.datname = s.datname AND of.usename = s.usename
			LEFT JOIN size ON (size.s).pool = s.pool AND (size.s).datname = s.datname AND (size.s).usename = s.usename
			LEFT JOIN session ON (session.s).pool = s.pool AND (session.s).datname = s.datname AND (session.s).usename = s.usename
		UNION ALL
		SELECT 6, 'limits', 'Limits', 'Limits', concat(
			(SELECT '<p>' || pgpool_stats.get_page_text((s).advice) || E'.</p>\n' FROM size WHERE (s).pool = '(server)'),
			pgpool_stats.get_page_budget(array_agg(b), max(as_of)))
		FROM word LEFT JOIN bound ON true
		UNION ALL
		SELECT 7, 'leaks', 'Leaks', 'Leaks', coalesce(pgpool_stats.get_page_leaks(
				(SELECT array_agg(l) FROM pgpool_stats.leaks AS l), as_of),
			E'<p>No connection counts as leaked.</p>\n')
		FROM word
		UNION ALL
		SELECT 8, 'incidents', 'Incidents', 'Incidents', coalesce(pgpool_stats.get_page_incidents(
				(SELECT array_agg(i) FROM pgpool_stats.incidents AS i), as_of - asked, as_of),
			E'<p>None.</p>\n')
		FROM word
		UNION ALL
		SELECT 9, 'poolers', 'Poolers', 'Poolers', coalesce(nullif(concat(
				pgpool_stats.get_page_chains((SELECT array_agg(c) FROM pgpool_stats.chains AS c)),
				pgpool_stats.get_page_poolers((SELECT array_agg(p) FROM pgpool_stats.poolers AS p), as_of)), ''),
			E'<p>No pool is known to come through a pooler.</p>\n')
		FROM word
		UNION ALL
		SELECT 10, 'rejected', 'Rejected', 'Rejected connections', coalesce(pgpool_stats.get_page_rejections(
				(SELECT array_agg(r) FROM pgpool_stats.rejections AS r), as_of - asked, as_of),
			E'<p>None.</p>\n')
		FROM word
		UNION ALL
		SELECT 11, 'sessions', 'Sessions', 'How connections are made and end', pgpool_stats.get_page_sessions(
			(SELECT array_agg(session.s ORDER BY s.place)
			FROM session JOIN shown AS s ON (session.s).pool = s.pool AND (session.s).datname = s.datname AND (session.s).usename = s.usename))
		UNION ALL
		SELECT 12, 'usage', 'Resources', 'What they use', pgpool_stats.get_page_usage(
			(SELECT array_agg(used.u ORDER BY s.place NULLS FIRST, used.n)
			FROM used LEFT JOIN shown AS s ON (used.u).pool = s.pool AND (used.u).datname = s.datname AND (used.u).usename = s.usename
			WHERE s.place IS NOT NULL OR (used.u).datname IS NULL))
		UNION ALL
		SELECT 13, 'about', 'About', 'About this page', concat(
			'<p>' || pgpool_stats.get_page_text(notes) || E'</p>\n',
			E'<p>An empty figure is one that nobody told. Lent: in use by the application. All of it is in the views of the schema pgpool_stats; begin with overview.</p>\n')
		FROM info
	), server AS (
		SELECT coalesce(nullif(current_setting('cluster_name'), ''), 'PostgreSQL at port ' || current_setting('port')) AS name
	), head AS (
		SELECT concat('<p class=meta>', pgpool_stats.get_page_text(s.name), ', PostgreSQL ',
			pgpool_stats.get_page_text(split_part(current_setting('server_version'), ' ', 1)),
			', port ', current_setting('port'), ' &#183; as of ', to_char(w.as_of, 'FMDD Mon YYYY HH24:MI:SS'),
			', time zone ', pgpool_stats.get_page_text(current_setting('TimeZone')), ' &#183; read by ',
			pgpool_stats.get_page_text(current_user), ', ',
			CASE WHEN i.sees_all THEN 'who sees all pools' ELSE (SELECT concat('<b>only pools of role ',
				coalesce(string_agg(DISTINCT pgpool_stats.get_page_text((r.p).usename), ', '), pgpool_stats.get_page_text(current_user)), '</b>')
				FROM ranked AS r) END,
			' &#183; ', CASE WHEN w.day_n > 0 THEN w.day ELSE w.hour END,
			CASE WHEN w.asked > '24 hours' THEN ': history is kept for 24 h, incidents until newer ones need their place' END,
			CASE WHEN w.kept > w.as_of - least(w.asked, '24 hours') THEN ', history begins at ' || pgpool_stats.get_page_clock(w.kept, w.as_of) END,
			E'</p>\n<h1>Client pools of ', pgpool_stats.get_page_text(s.name), E'</h1>\n<p>',
			coalesce((SELECT concat_ws(' ',
					'<span class="st bad">' || nullif(count(*) FILTER (WHERE (a).severity_code = 2), 0) || ' critical</span>',
					'<span class="st warn">' || nullif(count(*) FILTER (WHERE (a).severity_code = 1), 0) || ' warning</span>')
				FROM alert WHERE (a).state = 'firing' AND (a).silenced_until IS NULL HAVING count(*) > 0),
				'<span class="st ok">nothing fires</span>'),
			E'</p>\n',
			CASE WHEN i.collector_pid IS NULL THEN E'<p class=said>The collector does not run: history and alerts stand still.</p>\n'
				WHEN w.as_of - i.last_pass > greatest(interval '10 s', 5 * current_setting('pgpool_stats.sample_interval')::interval)
				THEN '<p class=said>The collector last looked at ' || pgpool_stats.get_page_clock(i.last_pass, w.as_of) || E': history and alerts are from then.</p>\n' END) AS text
		FROM server AS s, word AS w, info AS i
	), slots AS (
		SELECT concat('<section><h2>', (b).used, ' of ', (b).usable, ' connections are used <small>',
			(b).headroom, ' are free', ', the pools may ask for ' || (b).committed, ', most used at once ' || (b).peak_used,
			' at ' || pgpool_stats.get_page_clock((b).peak_used_at, w.as_of), E'</small></h2>\n',
			pgpool_stats.get_page_slots(b, (SELECT array_agg(r.p ORDER BY r.place) FROM ranked AS r),
				(SELECT array_agg(r.colour ORDER BY r.place) FROM ranked AS r)), E'</section>\n') AS text
		FROM bound, word AS w
		WHERE (b).scope = 'server'
	), times AS (
		-- below the charts, at quarters of their width
		SELECT string_agg(format('.%s figure::after{content:"%s"}', a.class,
			(SELECT string_agg(to_char(a.first + a.n * a.per * a.bucket * q / 4, 'HH24:MI'), ' ' ORDER BY q)
				FROM generate_series(0, 4) AS q)), E'\n') AS style
		FROM axis AS a
	)
	SELECT concat(E'<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>',
		E'<meta http-equiv=Content-Security-Policy content="default-src ''none''; style-src ''unsafe-inline''; img-src data:">\n',
		'<meta name=viewport content="width=device-width,initial-scale=1"><link rel=icon href="data:,">',
		'<title>Client pools of ', (SELECT pgpool_stats.get_page_text(name) FROM server), '</title><style>',
		pgpool_stats.get_page_style(), (SELECT style FROM times), E'</style></head>\n<body><a class=skip href="#now">To what is wrong</a>\n<header>',
		(SELECT text FROM head), '<nav aria-label="On this page">',
		(SELECT string_agg(format('<a href="#%s">%s</a>', id, short), ' ' ORDER BY place) FROM part WHERE text <> ''),
		E'</nav></header>\n<main>\n', (SELECT text FROM slots),
		(SELECT string_agg(concat('<section id=', id, '><h2>', title, E'</h2>\n', text, E'</section>\n'), '' ORDER BY place)
			FROM part WHERE text <> ''),
		E'</main></body></html>');
END;
COMMENT ON FUNCTION pgpool_stats.report_html(interval) IS
	'one HTML page about it all, to look at in a browser';
