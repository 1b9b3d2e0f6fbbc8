--
-- Charts over time.  A frame is n steps of "per" periods of history each,
-- the first one beginning at "first".
--

CREATE FUNCTION pgpool_stats.get_page_frame(
	history pgpool_stats.history[], bucket interval, first timestamptz, per int, n int)
RETURNS TABLE (
	step int, at timestamptz,
	sessions float8, idle_in_xact float8, lock float8, lwlock float8, io float8,
	client float8, other float8, cpu float8, lent float8, waiting float8,
	used_pct float8, connects float8, rejected float8,
	rejected_logins float8, rejected_unavailable float8)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH step AS (
		SELECT floor((extract(epoch FROM h.bucket_start)::float8 - extract(epoch FROM get_page_frame.first)::float8) /
				extract(epoch FROM h.bucket)::float8 / per)::int AS step,
			avg(h.sessions) AS sessions, avg(h.idle_in_xact) AS idle_in_xact, avg(h.lock) AS lock,
			avg(h.lwlock) AS lwlock, avg(h.io) AS io, avg(h.client) AS client, avg(h.other) AS other,
			avg(h.cpu) AS cpu, max(h.max_checked_out)::float8 AS lent, max(h.max_waiting)::float8 AS waiting,
			max(h.max_used_pct)::float8 AS used_pct, sum(h.connects)::float8 AS connects,
			sum(h.rejected)::float8 AS rejected, sum(h.rejected_logins)::float8 AS rejected_logins,
			sum(h.rejected_unavailable)::float8 AS rejected_unavailable
		FROM unnest(history) AS h
		WHERE h.bucket = get_page_frame.bucket AND h.bucket_start >= get_page_frame.first
		GROUP BY 1
	)
	SELECT n.step, get_page_frame.first + n.step * per * get_page_frame.bucket,
		s.sessions, s.idle_in_xact, s.lock, s.lwlock, s.io, s.client, s.other, s.cpu,
		s.lent, s.waiting, s.used_pct, s.connects, s.rejected,
		s.rejected_logins, s.rejected_unavailable
	FROM generate_series(0, get_page_frame.n - 1) AS n (step) LEFT JOIN step AS s USING (step);
END;
COMMENT ON FUNCTION pgpool_stats.get_page_frame(pgpool_stats.history[], interval, timestamptz, int, int) IS
	'behind report_html: the steps of a chart';

-- what all charts have: heading and figures, which say it all, and a picture
CREATE FUNCTION pgpool_stats.get_page_figure(
	title text, figures text, n int, paths text, parts text DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT concat('<figure><figcaption>', title, ' <b>', figures,
		'</b></figcaption><svg aria-hidden=true viewBox="0 0 ', n, ' 32" preserveAspectRatio=none>', paths, '</svg>',
		'<p>' || parts || '</p>', E'</figure>\n');
END;
COMMENT ON FUNCTION pgpool_stats.get_page_figure(text, text, int, text, text) IS
	'behind report_html: a chart';

-- connections in a transaction, by what they do
CREATE FUNCTION pgpool_stats.get_page_load(
	history pgpool_stats.history[], bucket interval, first timestamptz, per int, n int)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH step AS MATERIALIZED (
		SELECT * FROM pgpool_stats.get_page_frame(history, bucket, first, per, n)
	), part AS (
		SELECT s.step, p.place, p.name, p.value
		FROM step AS s CROSS JOIN LATERAL (
			SELECT sum(v) FROM unnest(ARRAY[s.idle_in_xact, s.lock, s.lwlock, s.io, s.client, s.other, s.cpu]) AS v
		) AS r (known) CROSS JOIN LATERAL (VALUES
			(1, 'idle in transaction', s.idle_in_xact), (2, 'lock', s.lock), (3, 'lwlock', s.lwlock),
			(4, 'io', s.io), (5, 'client', s.client), (7, 'cpu', s.cpu), (6, 'other', s.other),
			(8, 'not sampled', s.sessions - r.known)
		) AS p (place, name, value)
	), size AS (
		SELECT place, name, sum(value) AS value, round(100 * sum(value) / nullif(sum(sum(value)) OVER (), 0)) AS share,
			place IN (6, 8) OR row_number() OVER (ORDER BY place IN (6, 8), sum(value) DESC NULLS LAST) <= 4 AS kept
		FROM part
		GROUP BY place, name
	), height AS (
		-- from the bottom; the smallest are drawn as other
		SELECT p.step, k.place, sum(sum(p.value)) OVER (PARTITION BY p.step ORDER BY k.place) AS height
		FROM part AS p JOIN size AS z USING (place)
			CROSS JOIN LATERAL (SELECT CASE WHEN z.kept THEN p.place ELSE 6 END AS place) AS k
		GROUP BY p.step, k.place
	), scale AS (
		SELECT max(height) AS top FROM height
	), layer AS (
		SELECT h.place, pgpool_stats.get_page_outline(array_agg(h.height ORDER BY h.step), max(s.top), 32) AS path
		FROM height AS h, scale AS s
		GROUP BY h.place
	), seen AS (
		-- one that adds nothing to the one below cannot be seen
		SELECT *, path <> lag(path, 1, '') OVER (ORDER BY place) AS shows
		FROM layer
	), said AS (
		SELECT (SELECT string_agg(format('<path class=c%s d="%s"/>', place, path), '' ORDER BY place DESC)
				FROM seen WHERE shows) AS paths,
			-- in the colour that it is drawn in
			string_agg(format('<i class=c%s>%s %s%%</i>', CASE WHEN kept THEN place ELSE 6 END, name, share), ' '
				ORDER BY value DESC) FILTER (WHERE share > 0) AS parts
		FROM size
	), peak AS (
		SELECT sessions, at FROM step WHERE sessions > 0 ORDER BY sessions DESC, step LIMIT 1
	)
	SELECT pgpool_stats.get_page_figure('Load',
		format('%s on average, most %s at %s',
			pgpool_stats.get_page_number((SELECT avg(s.sessions) FROM step AS s)),
			pgpool_stats.get_page_number(peak.sessions), to_char(peak.at, 'HH24:MI')),
		n, said.paths, said.parts)
	FROM said, peak;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_load(pgpool_stats.history[], interval, timestamptz, int, int) IS
	'behind report_html: load by what sessions do';

-- what is lent and who waits, against the maximum
CREATE FUNCTION pgpool_stats.get_page_demand(
	history pgpool_stats.history[], bucket interval, first timestamptz, per int, n int, max_size bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH step AS MATERIALIZED (
		SELECT * FROM pgpool_stats.get_page_frame(history, bucket, first, per, n)
	), total AS (
		SELECT max(lent) AS lent, max(waiting) AS waiting,
			max(coalesce(lent, 0) + coalesce(waiting, 0)) AS demand
		FROM step
	), scale AS (
		-- a maximum that is far above would leave nothing to see
		SELECT *, CASE WHEN max_size <= 3 * demand THEN max_size END AS cap,
			CASE WHEN max_size <= 3 * demand
				THEN greatest(demand, 1.06 * max_size) ELSE demand END AS top
		FROM total
	), path AS (
		SELECT pgpool_stats.get_page_outline(array_agg(s.lent ORDER BY step), max(c.top), 32) AS lent,
			pgpool_stats.get_page_outline(array_agg(s.lent + s.waiting ORDER BY step), max(c.top), 32) AS demand
		FROM step AS s, scale AS c
	)
	SELECT pgpool_stats.get_page_figure('Lent and waiting',
		concat('at most <i class=c4>', c.lent, ' of ' || max_size, ' lent</i>',
			', <i class=c2>' || nullif(c.waiting, 0) || ' waiting</i>',
			CASE WHEN c.cap IS NOT NULL THEN ', <i class=cap>maximum now</i>' END),
		n,
		concat(CASE WHEN c.waiting > 0 THEN format('<path class=c2 d="%s"/>', p.demand) END,
			format('<path class=c4 d="%s"/>', p.lent),
			'<path class=cap d="M0 ' || round((32 - 32 * c.cap / c.top)::numeric, 1)
				|| format('H%s"/>', n)))
	FROM scale AS c, path AS p
	WHERE c.demand > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_demand(pgpool_stats.history[], interval, timestamptz, int, int, bigint) IS
	'behind report_html: lent and waiting';

-- connections that were made, and on top those that were rejected, by kind
CREATE FUNCTION pgpool_stats.get_page_connects(
	history pgpool_stats.history[], bucket interval, first timestamptz, per int, n int)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH part AS (
		SELECT s.step, p.*, sum(p.value) OVER (PARTITION BY s.step) AS total
		FROM pgpool_stats.get_page_frame(history, bucket, first, per, n) AS s CROSS JOIN LATERAL (VALUES
			(1, 8, 'made', s.connects), (2, 2, 'rejected by a limit', s.rejected), (3, 1, 'rejected at login', s.rejected_logins),
			(4, 5, 'rejected while unavailable', s.rejected_unavailable)
		) AS p (place, colour, name, value)
	), height AS (
		-- one rejected among a thousand is to be seen
		SELECT *, sum(CASE WHEN place = 1 THEN value
				WHEN value > 0 THEN greatest(value, (SELECT max(total) FROM part) / 12) END)
			OVER (PARTITION BY step ORDER BY place) AS height
		FROM part
	), layer AS (
		SELECT place, colour, name, sum(value) AS value,
			pgpool_stats.get_page_outline(array_agg(CASE WHEN value > 0 THEN height END ORDER BY step),
				(SELECT max(height) FROM height), 32) AS path
		FROM height
		GROUP BY place, colour, name
	), said AS (
		SELECT string_agg(format('<i class=c%s>%s %s</i>', colour, pgpool_stats.get_page_number(value), name), ', '
				ORDER BY place) AS figures,
			string_agg(format('<path class=c%s d="%s"/>', colour, path), '' ORDER BY place DESC) AS paths
		FROM layer
		WHERE value > 0
	)
	SELECT pgpool_stats.get_page_figure('Connects', figures, n, paths)
	FROM said
	WHERE figures IS NOT NULL;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_connects(pgpool_stats.history[], interval, timestamptz, int, int) IS
	'behind report_html: connections made and rejected';

-- how full its fullest instance was
CREATE FUNCTION pgpool_stats.get_page_strip(
	history pgpool_stats.history[], bucket interval, first timestamptz, per int, n int,
	class text, title text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH step AS MATERIALIZED (
		SELECT * FROM pgpool_stats.get_page_frame(history, bucket, first, per, n)
	), said AS (
		SELECT max(used_pct) AS most,
			(array_agg(at ORDER BY used_pct DESC NULLS LAST, step))[1] AS at,
			count(*) FILTER (WHERE used_pct >= 100) AS filled,
			count(used_pct) AS known,
			pgpool_stats.get_page_outline(array_agg(CASE WHEN used_pct >= 0 THEN greatest(used_pct, 5) END ORDER BY step), 100, 20) AS used,
			pgpool_stats.get_page_outline(array_agg(CASE WHEN used_pct >= 100 THEN 100.0 END ORDER BY step), 100, 20) AS whole
		FROM step
	)
	SELECT format(
		'<svg class="strip %s" role=img aria-label="%s: at most %s%% full, at %s%s" viewBox="0 0 %s 20" preserveAspectRatio=none><path class=c4 d="%s"/>%s</svg>',
		class, title, round(most), to_char(at, 'HH24:MI'),
		CASE WHEN filled > 0 THEN format('; full in %s of %s periods', filled, known) END,
		n, used, '<path class=c2 d="' || nullif(whole, '') || '"/>')
	FROM said
	WHERE known > 0;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_strip(pgpool_stats.history[], interval, timestamptz, int, int, text, text) IS
	'behind report_html: how full it was, in one line';
