--
-- The server's slots, and of each pool a line and a section.  Pools come worst
-- first: their place is their anchor.
--

-- who has the connections, against what there is and what may be asked for
CREATE FUNCTION pgpool_stats.get_page_slots(
	server pgpool_stats.budget, pools pgpool_stats.pools[], colours text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH pool AS (
		SELECT p.pool, p.datname, p.connections, p.ordinality AS place,
			least(coalesce(p.checked_out, p.in_xact, 0), p.connections) AS lent,
			colours[p.ordinality] AS colour,
			row_number() OVER (ORDER BY p.connections DESC, p.ordinality) AS rank
		FROM unnest(pools) WITH ORDINALITY AS p
		WHERE p.connections > 0
	), rest AS (
		SELECT coalesce(sum(connections) FILTER (WHERE rank > 12), 0) AS connections,
			count(*) FILTER (WHERE rank > 12) AS pools,
			greatest((server).used - coalesce(sum(connections), 0), 0) AS unseen
		FROM pool
	), scale AS (
		SELECT greatest((server).usable, (server).used, (server).committed, 1)::float8 AS top
	), mark AS (
		SELECT string_agg(format('<b class="mark %s%s" style="left:%s%%"><span>%s %s</span></b>',
				class, CASE WHEN value > top / 2 THEN ' left' END,
				round((100 * value / top)::numeric, 1), word, value), '') AS marks
		FROM scale, LATERAL (VALUES ('over', 'usable', (server).usable::bigint),
			('under', 'may be asked for', (server).committed)) AS m (class, word, value)
		WHERE value IS NOT NULL
	)
	SELECT concat('<div class=slots aria-hidden=true><div class=bar>',
		(SELECT string_agg(format('<span class="seg %s" style="width:%s%%;--l:%s%%">%s</span>',
				colour, round((100 * connections / top)::numeric, 2), round(100.0 * lent / connections),
				CASE WHEN connections > top / 20 THEN '<span>' || pgpool_stats.get_page_text(pool) || '</span>' END), '' ORDER BY rank)
			FROM pool, scale WHERE rank <= 12),
		(SELECT format('<span class="seg dim" style="width:%s%%"></span>',
				round((100 * (connections + unseen) / top)::numeric, 2))
			FROM rest, scale WHERE connections + unseen > 0),
		'</div>', (SELECT marks FROM mark), '</div><ul class=who>',
		(SELECT string_agg(format('<li><i class=%s></i><a href="#p%s">%s</a> <b>%s</b>%s</li>',
				colour, CASE WHEN place <= 50 THEN place::text ELSE 'more' END,
				pgpool_stats.get_page_text(pool), connections,
				CASE WHEN lent > 0 THEN format(' <small>%s lent</small>', lent) END), '' ORDER BY rank)
			FROM pool WHERE rank <= 12),
		(SELECT '<li><i class=dim></i>' || nullif(pools, 0) || ' more pools <b>' || connections || '</b></li>' FROM rest),
		(SELECT '<li><i class=dim></i>others <b>' || nullif(unseen, 0) || '</b></li>' FROM rest),
		E'</ul>\n');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_slots(pgpool_stats.budget, pgpool_stats.pools[], text[]) IS
	'behind report_html: the slots of the server';

-- orders, exhausted 41 min
CREATE FUNCTION pgpool_stats.get_page_status(status text, since timestamptz, colour text, as_of timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<span class="st ', colour, '">', status, '</span>',
		' <small>' || pgpool_stats.get_page_age(since, as_of) || '</small>');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_status(text, timestamptz, text, timestamptz) IS
	'behind report_html: a status and its age';

-- a line in the list of pools
CREATE FUNCTION pgpool_stats.get_page_line(
	place bigint, p pgpool_stats.pools, status text, colour text, why text, strips text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<li class=', colour, '><span class=name><a href="#p', place, '">',
		pgpool_stats.get_page_text((p).pool), '</a> <small>',
		pgpool_stats.get_page_text((p).datname), '</small></span><span class=at>',
		status, '</span><span class=use>',
		CASE WHEN (p).max_size > 0 THEN format('<i class=gauge style="--l:%s%%"></i>',
			least(round(100.0 * (p).checked_out / (p).max_size), 100)) END,
		'<b>' || (p).checked_out || '</b>',
		CASE WHEN (p).max_size IS NOT NULL THEN '/' || (p).max_size
			WHEN (p).unlimited THEN ' <small>no maximum</small>'
			WHEN (p).checked_out IS NOT NULL THEN '/?' END,
		' <small>' || CASE WHEN (p).checked_out IS NOT NULL THEN 'lent' END
			|| CASE WHEN (p).instances > 1 THEN coalesce(', fullest ' || round((p).fullest_pct) || '%', '') ELSE '' END || '</small>',
		'</span><span>',
		CASE WHEN (p).waiting > 0 THEN format('<b>%s</b> <small>waiting</small>', (p).waiting)
			WHEN (p).status <> 'gone' THEN '<small>' || coalesce((p).waiting::text, '?') || ' waiting</small>' END,
		'</span><span class=why>', why, '</span><span class=strips>',
		coalesce(strips, '<small>no maximum known</small>'), E'</span></li>\n');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_line(bigint, pgpool_stats.pools, text, text, text, text) IS
	'behind report_html: a pool in the list';

CREATE FUNCTION pgpool_stats.get_page_fact(name text, value text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT '<div><dt>' || name || '<dd>' || nullif(value, '') || '</div>';
END;
COMMENT ON FUNCTION pgpool_stats.get_page_fact(text, text) IS
	'behind report_html: a figure and its name';

-- the instances of a pool, fullest first
CREATE FUNCTION pgpool_stats.get_page_instances(instances pgpool_stats.instances[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH instance AS (
		SELECT *, row_number() OVER (ORDER BY status = 'gone', status = 'ok',
			used_pct DESC NULLS LAST, connections DESC, instance COLLATE "C") AS rank
		FROM unnest(instances) AS i
	)
	SELECT concat('<p class=inst><b>', CASE count(*) WHEN 1 THEN 'Instance' ELSE 'Instances' END, '</b> ',
		string_agg(concat(pgpool_stats.get_page_text(instance), ' <b>' || checked_out || '/' || coalesce(max_size::text, '?') || '</b>',
			' <em>' || nullif(status, 'ok') || '</em>',
			' <small>' || pgpool_stats.get_page_text(notes) || '</small>'), ', ' ORDER BY rank)
			FILTER (WHERE rank <= 3),
		CASE WHEN count(*) > 3 THEN format(' and %s more', count(*) - 3) END, E'</p>\n')
	FROM instance
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_instances(pgpool_stats.instances[]) IS
	'behind report_html: the instances of a pool';

-- the section of a pool
CREATE FUNCTION pgpool_stats.get_page_pool(
	place bigint, p pgpool_stats.pools, status text, colour text, said text, instances pgpool_stats.instances[],
	sizing pgpool_stats.sizing, sessions pgpool_stats.sessions, charts text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<section id=p', place, ' class="pool ', colour, '"><h3>', pgpool_stats.get_page_text((p).pool),
		' <small>on ', pgpool_stats.get_page_text((p).datname), ' as ', pgpool_stats.get_page_text((p).usename), '</small> ',
		status, E'</h3>\n', said, '<dl>',
		pgpool_stats.get_page_fact('lent', concat((p).checked_out, ' of ' || coalesce((p).max_size::text,
			CASE WHEN (p).unlimited THEN 'no maximum' END))),
		pgpool_stats.get_page_fact('wait', concat((p).waiting,
			' for ' || pgpool_stats.get_page_time(CASE WHEN (p).waiting > 0 THEN (p).max_wait END))),
		pgpool_stats.get_page_fact('sizes', pgpool_stats.get_page_text((p).config)),
		pgpool_stats.get_page_fact('here', concat((p).connections, ', most ' || nullif((p).peak_connections, 0))),
		pgpool_stats.get_page_fact('in a transaction', concat((p).in_xact, ', ' || nullif((p).idle_in_xact, 0) || ' idle')),
		pgpool_stats.get_page_fact('transactions', concat(pgpool_stats.get_page_number(nullif((p).xacts, 0)),
			' of ' || pgpool_stats.get_page_time((p).mean_xact_time))),
		pgpool_stats.get_page_fact('connect, p95', pgpool_stats.get_page_time((sessions).connect_time_p95)),
		pgpool_stats.get_page_fact('timed out', pgpool_stats.get_page_number(nullif((p).timeouts, 0))),
		pgpool_stats.get_page_fact('failed', pgpool_stats.get_page_number(nullif((p).errors, 0))),
		pgpool_stats.get_page_fact('rejected', concat_ws(', ',
			pgpool_stats.get_page_number(nullif((p).rejected, 0)) || ' by a limit',
			pgpool_stats.get_page_number(nullif((sessions).rejected_logins, 0)) || ' at login',
			pgpool_stats.get_page_number(nullif((sessions).rejected_unavailable, 0)) || ' while unavailable')),
		pgpool_stats.get_page_fact('through', pgpool_stats.get_page_text((p).via)),
		pgpool_stats.get_page_fact('size', concat(
			'<b>' || (sizing).suggested || '</b> an instance: ', pgpool_stats.get_page_text((sizing).advice))),
		E'</dl>\n', pgpool_stats.get_page_instances(instances),
		charts, E'</section>\n');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_pool(bigint, pgpool_stats.pools, text, text, text, pgpool_stats.instances[], pgpool_stats.sizing, pgpool_stats.sessions, text) IS
	'behind report_html: the section of a pool';
