--
-- report_html(): the views as one page.  report_html.sql reads each view once
-- and hands its rows to the parts of the page, which the other files write.
--
-- What somebody else wrote, and a name is that, goes through get_page_text()
-- and nothing else makes text of it.  concat() leaves out what is null: so a
-- part that depends on a figure is written '...' || figure || '...'.
--

-- the names below mean what they mean in pg_catalog
SET LOCAL search_path TO pg_catalog, pg_temp;

CREATE FUNCTION pgpool_stats.get_page_text(text)
RETURNS text
AS 'MODULE_PATHNAME', 'pgps_get_page_text'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pgpool_stats.get_page_text(text) IS
	'behind report_html: text without markup, in ASCII';

CREATE FUNCTION pgpool_stats.get_page_outline("values" float8[], top float8, height int)
RETURNS text
AS 'MODULE_PATHNAME', 'pgps_get_page_outline'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pgpool_stats.get_page_outline(float8[], float8, int) IS
	'behind report_html: outline of a chart';

CREATE FUNCTION pgpool_stats.get_page_window(since interval)
RETURNS interval
AS 'MODULE_PATHNAME', 'pgps_get_page_window'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_page_window(interval) IS
	'behind report_html: how far back it looks';

-- 7, 0.3, 8.1, 12, 4.2k
CREATE FUNCTION pgpool_stats.get_page_number(value float8)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN abs(value) >= 1e10 THEN round(value / 1e9)::text || 'G'
		WHEN abs(value) >= 1e7 THEN round(value / 1e6)::text || 'M'
		WHEN abs(value) >= 1e6 THEN round((value / 1e6)::numeric, 1)::text || 'M'
		WHEN abs(value) >= 1e4 THEN round(value / 1e3)::text || 'k'
		WHEN abs(value) >= 10 OR value = round(value) THEN round(value)::text
		WHEN abs(value) < 0.05 THEN '&lt;0.1'
		ELSE round(value::numeric, 1)::text
	END;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_number(float8) IS
	'behind report_html: a number for eyes';

-- 0.4 ms, 38 ms, 2.1 s, 41 min, 3 h, 12 d
CREATE FUNCTION pgpool_stats.get_page_time(ms float8)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN ms < 1 THEN round(greatest(ms, 0)::numeric, 1)::text || ' ms'
		WHEN ms < 999.5 THEN round(ms)::text || ' ms'
		WHEN ms < 9950 THEN round((ms / 1e3)::numeric, 1)::text || ' s'
		WHEN ms < 1e3 * 100 THEN round(ms / 1e3)::text || ' s'
		WHEN ms < 6e4 * 100 THEN round(ms / 6e4)::text || ' min'
		WHEN ms < 36e5 * 48 THEN round(ms / 36e5)::text || ' h'
		ELSE round(ms / 864e5)::text || ' d'
	END;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_time(float8) IS
	'behind report_html: a time for eyes';

-- in whole seconds at least
CREATE FUNCTION pgpool_stats.get_page_age(moment timestamptz, as_of timestamptz)
RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN a.seconds < 100 THEN greatest(a.seconds, 0)::text || ' s'
		ELSE pgpool_stats.get_page_time(a.seconds * 1000) END
	FROM (SELECT floor(extract(epoch FROM as_of - moment)) AS seconds) AS a;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_age(timestamptz, timestamptz) IS
	'behind report_html: how long ago';

-- 03:12, or 24 Nov 03:12 if it was on another day
CREATE FUNCTION pgpool_stats.get_page_clock(moment timestamptz, as_of timestamptz)
RETURNS text
LANGUAGE sql STRICT STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT to_char(moment, CASE WHEN moment::date = as_of::date
		THEN 'HH24:MI' ELSE 'FMDD Mon HH24:MI' END);
END;
COMMENT ON FUNCTION pgpool_stats.get_page_clock(timestamptz, timestamptz) IS
	'behind report_html: when it was';

-- the colour of a status
CREATE FUNCTION pgpool_stats.get_page_colour(status text, severity_code int)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN severity_code = 2 OR status IN ('stalled', 'critical') THEN 'bad'
		WHEN severity_code = 1 OR status IN ('exhausted', 'waiting', 'silent', 'lost', 'warning') THEN 'warn'
		WHEN status = 'gone' THEN 'dim'
		ELSE 'ok'
	END;
END;
COMMENT ON FUNCTION pgpool_stats.get_page_colour(text, int) IS
	'behind report_html: the colour of a status';
