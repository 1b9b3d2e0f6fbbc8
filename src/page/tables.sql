--
-- What is about several pools: what is wrong, limits, leaks, incidents,
-- poolers, rejections, and tables to compare pools by.
--

-- the alerts, what fires first; a hint is said once
CREATE FUNCTION pgpool_stats.get_page_alerts(alerts pgpool_stats.alerts[], as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH alert AS (
		SELECT *, state = 'firing' AS fires, CASE WHEN state <> 'firing' OR silenced_until IS NOT NULL THEN 0 ELSE severity_code END AS weight
		FROM unnest(alerts) WITH ORDINALITY AS a
		WHERE state IN ('firing', 'pending')
	), ranked AS (
		SELECT *, row_number() OVER (PARTITION BY fires ORDER BY weight DESC, severity_code DESC, ordinality) AS rank,
			row_number() OVER (PARTITION BY hint ORDER BY fires DESC, weight DESC, severity_code DESC, ordinality) AS said
		FROM alert
	), item AS (
		SELECT fires, rank, concat(
			'<li class=', (ARRAY['dim', 'warn', 'bad'])[weight + 1],
			'><b>', CASE WHEN fires THEN severity ELSE 'not yet' END, '</b> <span><q>', pgpool_stats.get_page_text(message), '</q> <small>',
			replace(rule, '_', ' '), ' since ' || pgpool_stats.get_page_clock(since, as_of),
			'; cause: ' || pgpool_stats.get_page_text(cause), '; by ' || pgpool_stats.get_page_text(culprit),
			', pid ' || culprit_pid,
			'; silenced until ' || pgpool_stats.get_page_clock(silenced_until, as_of), '.</small>',
			CASE WHEN said = 1 THEN ' <em>' || pgpool_stats.get_page_text(hint) || '</em>' END,
			E'</span></li>\n') AS text
		FROM ranked
	), list AS (
		-- the pools are to be on the first screen, too
		SELECT string_agg(text, '' ORDER BY rank) FILTER (WHERE fires AND rank <= 4) AS seen,
			string_agg(text, '' ORDER BY fires DESC, rank) FILTER (WHERE CASE WHEN fires THEN rank BETWEEN 5 AND 50 ELSE rank <= 10 END) AS folded,
			nullif(greatest(count(*) FILTER (WHERE fires) - 4, 0), 0) AS more,
			nullif(greatest(count(*) FILTER (WHERE fires) - 50, 0), 0) AS left_out,
			nullif(count(*) FILTER (WHERE NOT fires), 0) AS pending
		FROM item
	)
	SELECT concat(coalesce('<ul class=alerts>' || seen || E'</ul>\n',
			E'<p>No alert fires. Which rules are looked at is in the view rules.</p>\n'),
		'<details><summary>' || concat_ws(', ', more || ' more', pending || ' not for long enough yet')
			|| '</summary><ul class=alerts>' || folded || E'</ul></details>\n',
		'<p>And ' || left_out || E' more alerts: see the view alerts.</p>\n')
	FROM list;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_alerts(pgpool_stats.alerts[], timestamptz) IS
	'behind report_html: what is wrong';

-- a table that can be scrolled by keyboard where it is too wide
CREATE FUNCTION pgpool_stats.get_page_table(name text, heads text[], rows text, note text DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT '<div class=scroll tabindex=0 role=region aria-label="' || name || '"><table><thead><tr>'
		|| (SELECT string_agg('<th scope=col>' || head, '') FROM unnest(heads) AS head)
		|| E'</thead><tbody>\n' || rows || E'</tbody></table></div>\n'
		|| coalesce('<p class=note>' || note || E'</p>\n', '');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_table(text, text[], text, text) IS
	'behind report_html: a table';

-- a row; its first cell is its heading, cells that are null are empty
CREATE FUNCTION pgpool_stats.get_page_row(head text, VARIADIC cells text[])
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<tr><th scope=row>', head, '<td>', array_to_string(cells, '<td>', ''), E'\n');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_row(text, text[]) IS
	'behind report_html: a row of a table';

CREATE FUNCTION pgpool_stats.get_page_budget(budget pgpool_stats.budget[], as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH bound AS (
		SELECT *, row_number() OVER (ORDER BY scope <> 'server',
			array_position('{critical,warning,full,ok}', status),
			used_pct DESC NULLS LAST, used DESC, scope, name) AS rank
		FROM unnest(budget) AS b
	)
	SELECT pgpool_stats.get_page_table('Limits', '{Limit,Status,Used,"Of usable",Free,"Free by","Pools may ask for",Week,"Without maximum",Most used,Rejected}',
		string_agg(pgpool_stats.get_page_row(
			concat(scope, ' ' || pgpool_stats.get_page_text(name)),
			format('<span class="st %s">%s</span>', pgpool_stats.get_page_colour(status, NULL), status),
			used::text,
			concat(usable, ' <i class=gauge style="--l:' || least(round(used_pct), 100) || '%"></i>'),
			headroom::text, binding, committed::text, committed_peak::text, nullif(uncapped, 0)::text,
			concat(peak_used, ' <small>' || pgpool_stats.get_page_clock(peak_used_at, as_of) || '</small>'),
			concat(nullif(rejected, 0), ' <small>last ' || pgpool_stats.get_page_clock(last_rejected, as_of) || '</small>')),
			'' ORDER BY rank) FILTER (WHERE rank <= 40),
		concat('Free = connections still possible by all limits, and which of them that is. Week = the same with each pool at its largest in seven days.',
			CASE WHEN count(*) > 40 THEN format(' %s more limits are in the view budget.', count(*) - 40) END))
	FROM bound;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_budget(pgpool_stats.budget[], timestamptz) IS
	'behind report_html: limits';

CREATE FUNCTION pgpool_stats.get_page_leaks(leaks pgpool_stats.leaks[], as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH leak AS (
		SELECT *, row_number() OVER (ORDER BY at_least DESC, since, pool, instance) AS rank
		FROM unnest(leaks) AS l
	)
	SELECT concat('<ul class=alerts>', string_agg(concat(
			CASE WHEN at_least > 0 THEN '<li class=warn>' ELSE '<li class=dim>' END,
			'<b>at least ', at_least, '</b> <span>of ', candidates, ' candidates in ', pgpool_stats.get_page_text(pool),
			', ' || pgpool_stats.get_page_text(instance), ': ' || pgpool_stats.get_page_text(evidence),
			' <small>', 'since ' || pgpool_stats.get_page_clock(since, as_of),
			'; exempt: ' || pgpool_stats.get_page_text(exempt),
			'; the whole pool will have leaked at ' || pgpool_stats.get_page_clock(exhausts_at, as_of),
			'; pids ' || array_to_string(candidate_pids[1:12], ', '),
			CASE WHEN cardinality(candidate_pids) > 12 THEN ' ...' END, '.</small>',
			' <em>' || pgpool_stats.get_page_text(advice) || '</em>', '</span></li>'), E'\n' ORDER BY rank)
			FILTER (WHERE rank <= 30), E'</ul>\n',
		CASE WHEN count(*) > 30 THEN format(E'<p>And %s more: see the view leaks.</p>\n', count(*) - 30) END)
	FROM leak
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_leaks(pgpool_stats.leaks[], timestamptz) IS
	'behind report_html: leaks';

-- what fires now first, then the latest; a bar is where it was in the time shown
CREATE FUNCTION pgpool_stats.get_page_incidents(
	incidents pgpool_stats.incidents[], start timestamptz, as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH meant AS (
		SELECT *, row_number() OVER (ORDER BY ended IS NOT NULL, began DESC, id DESC) AS rank
		FROM unnest(incidents) AS i
		WHERE ended IS NULL OR ended >= start
	), incident AS (
		-- in thousandths of the time from the first one that is shown until now
		SELECT m.*, round(1000 * extract(epoch FROM greatest(m.began, s.first) - s.first) / s.length) AS place,
			round(1000 * extract(epoch FROM coalesce(m.ended, as_of) - greatest(m.began, s.first)) / s.length) AS length
		FROM meant AS m, (
			SELECT f.first, greatest(extract(epoch FROM as_of - f.first), 1) AS length
			FROM (SELECT greatest(min(began) FILTER (WHERE rank <= 60), start) AS first FROM meant) AS f
		) AS s
	)
	SELECT concat('<p class=note>', count(*), CASE count(*) WHEN 1 THEN ' incident' ELSE ' incidents' END, ' since ',
			pgpool_stats.get_page_clock(start, as_of), ', ', count(*) FILTER (WHERE ended IS NULL), E' of them now.</p>\n<ol class=times>',
		string_agg(concat('<li class=', CASE severity WHEN 'critical' THEN 'bad' ELSE 'warn' END, '><b>',
			pgpool_stats.get_page_clock(began, as_of), '</b><small>',
			CASE WHEN ended IS NULL THEN 'fires for ' ELSE 'for ' END,
			pgpool_stats.get_page_age(began, coalesce(ended, as_of)),
			', ' || CASE WHEN times > 1 THEN times END || ' times', '</small><i class=span style="--a:',
			place, ';--l:', length, '"></i><span><em>', severity, '</em> ', pgpool_stats.get_page_text(message), ' <small>',
			'cause: ' || pgpool_stats.get_page_text(cause) || '; ', 'by ' || pgpool_stats.get_page_text(culprit),
			'</small></span></li>'), E'\n' ORDER BY rank) FILTER (WHERE rank <= 60), E'</ol>\n',
		CASE WHEN count(*) > 60 THEN format(E'<p>And %s more: see the view incidents.</p>\n', count(*) - 60) END)
	FROM incident
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_incidents(pgpool_stats.incidents[], timestamptz, timestamptz) IS
	'behind report_html: incidents';

CREATE FUNCTION pgpool_stats.get_page_box(here boolean, name text, title text, figures text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<div', CASE WHEN here THEN ' class=here' END, '><small>', name, '</small> <b>', title, '</b> ', figures,
		CASE WHEN here THEN ' <strong>callers wait here</strong>' END, '</div>');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_box(boolean, text, text, text) IS
	'behind report_html: a part of a chain';

-- application, pooler, server
CREATE FUNCTION pgpool_stats.get_page_chains(chains pgpool_stats.chains[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH chain AS (
		SELECT *, row_number() OVER (ORDER BY bottleneck IS NULL, pooler_waiting DESC NULLS LAST,
			waiting DESC NULLS LAST, connections DESC NULLS LAST, pool, datname, usename) AS rank
		FROM unnest(chains) AS c
		WHERE pooler IS NOT NULL
	)
	SELECT concat('<ol class=chains>', string_agg(concat('<li>',
			pgpool_stats.get_page_box(bottleneck = 'application', 'application',
				coalesce(pgpool_stats.get_page_text(pool), 'not known'),
				concat_ws(', ', checked_out || concat('/', max_size) || ' lent', waiting || ' waiting',
					instances || CASE instances WHEN 1 THEN ' instance' ELSE ' instances' END)),
			pgpool_stats.get_page_box(bottleneck = 'pooler', 'pooler', pgpool_stats.get_page_text(pooler),
				concat_ws(', ', pooler_checked_out || concat('/', pooler_max_size) || ' serve a client',
					pooler_waiting || ' waiting', clients || ' clients', pgpool_stats.get_page_text(pool_mode), reason)),
			pgpool_stats.get_page_box(bottleneck = 'server', 'server',
				concat(pgpool_stats.get_page_text(datname), ' as ' || pgpool_stats.get_page_text(usename)),
				concat_ws(', ', connections || ' connections', in_xact || ' in a transaction')),
			'</li>'), E'\n' ORDER BY rank) FILTER (WHERE rank <= 30), E'</ol>\n',
		CASE WHEN count(*) > 30 THEN format(E'<p>And %s more: see the view chains.</p>\n', count(*) - 30) END)
	FROM chain
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_chains(pgpool_stats.chains[]) IS
	'behind report_html: from application to server';

CREATE FUNCTION pgpool_stats.get_page_poolers(poolers pgpool_stats.poolers[], as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pgpool_stats.get_page_table('Poolers', '{Pooler,Product,Answers,Clients,"Of at most","Connections to a database","Poll takes","Last poll","What is wrong"}',
		string_agg(pgpool_stats.get_page_row(
			pgpool_stats.get_page_text(name), pgpool_stats.get_page_text(concat_ws(' ', product, version)),
			CASE WHEN reachable THEN '<span class="st ok">yes</span>' ELSE '<span class="st bad">no</span>' END,
			clients::text, max_client_conn::text, max_db_connections::text, pgpool_stats.get_page_time(poll_time),
			pgpool_stats.get_page_clock(last_poll, as_of), pgpool_stats.get_page_text(error)),
			'' ORDER BY reachable, name))
	FROM (SELECT * FROM unnest(poolers) AS p ORDER BY reachable, name LIMIT 30) AS p;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_poolers(pgpool_stats.poolers[], timestamptz) IS
	'behind report_html: poolers';

-- by origin and reason
CREATE FUNCTION pgpool_stats.get_page_rejections(
	rejections pgpool_stats.rejections[], start timestamptz, as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH origin AS (
		SELECT reason, pool, datname, usename, client_addr, sum(count) AS count, min(first_rejected) AS first,
			max(last_rejected) AS last, row_number() OVER (ORDER BY max(last_rejected) DESC) AS rank
		FROM unnest(rejections) AS r
		WHERE last_rejected >= start
		GROUP BY reason, pool, datname, usename, client_addr
	)
	SELECT pgpool_stats.get_page_table('Rejected connections', '{Reason,Count,Pool,Database,Role,From,First,Last}',
		string_agg(pgpool_stats.get_page_row(
			replace(reason, '_', ' '), count::text, pgpool_stats.get_page_text(pool), pgpool_stats.get_page_text(datname),
			pgpool_stats.get_page_text(usename), coalesce(host(client_addr), 'local socket'),
			pgpool_stats.get_page_clock(first, as_of), pgpool_stats.get_page_clock(last, as_of)),
			'' ORDER BY rank) FILTER (WHERE rank <= 30),
		concat('What the client claimed: nobody had logged in.',
			CASE WHEN count(*) > 30 THEN format(' %s more origins are in the view rejections.', count(*) - 30) END))
	FROM origin;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_rejections(pgpool_stats.rejections[], timestamptz, timestamptz) IS
	'behind report_html: rejected connections';

CREATE FUNCTION pgpool_stats.get_page_sessions(sessions pgpool_stats.sessions[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pgpool_stats.get_page_table('Sessions', '{Pool,Here,TLS,Made,"Connect p50","Connect p95","Login p95",Ended,"Cut off",Failed,Killed,"Median age","Transactions each","Logins rejected"}',
		string_agg(pgpool_stats.get_page_row(
			concat(pgpool_stats.get_page_text(pool), ' <small>', pgpool_stats.get_page_text(datname), '</small>'),
			connections::text, nullif(tls_connections, 0)::text, pgpool_stats.get_page_number(connects),
			pgpool_stats.get_page_time(connect_time_p50), pgpool_stats.get_page_time(connect_time_p95),
			pgpool_stats.get_page_time(auth_time_p95), pgpool_stats.get_page_number(disconnects),
			pgpool_stats.get_page_number(nullif(sessions_abandoned, 0)), pgpool_stats.get_page_number(nullif(sessions_fatal, 0)),
			pgpool_stats.get_page_number(nullif(sessions_killed, 0)), pgpool_stats.get_page_time(session_age_p50),
			pgpool_stats.get_page_number(xacts_per_session), pgpool_stats.get_page_number(nullif(rejected_logins, 0))),
			'' ORDER BY ordinality))
	FROM unnest(sessions) WITH ORDINALITY AS s;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_sessions(pgpool_stats.sessions[]) IS
	'behind report_html: how connections are made and end';

CREATE FUNCTION pgpool_stats.get_page_usage(usage pgpool_stats.usage[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pgpool_stats.get_page_table('What they use', '{Pool,CPU,WAL,"Blocks hit",Read,Dirtied,Written,"Temp read","Temp written",Memory now,"In transactions"}',
		string_agg(pgpool_stats.get_page_row(
			concat(pgpool_stats.get_page_text(pool), ' <small>', pgpool_stats.get_page_text(datname), '</small>'),
			pgpool_stats.get_page_time(cpu_time), pg_size_pretty(wal_bytes), pgpool_stats.get_page_number(shared_blks_hit),
			pgpool_stats.get_page_number(nullif(shared_blks_read, 0)), pgpool_stats.get_page_number(nullif(shared_blks_dirtied, 0)),
			pgpool_stats.get_page_number(nullif(shared_blks_written, 0)), pgpool_stats.get_page_number(nullif(temp_blks_read, 0)),
			pgpool_stats.get_page_number(nullif(temp_blks_written, 0)), pg_size_pretty(memory), pgpool_stats.get_page_time(xact_time)),
			'' ORDER BY ordinality))
	FROM unnest(usage) WITH ORDINALITY AS u;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_usage(pgpool_stats.usage[]) IS
	'behind report_html: what pools use';
