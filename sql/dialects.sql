-- The documents of test/dialects, which stand for what pool libraries say, and
-- the row of pgpool_stats.instances that each comes to.
--
-- A file there has blocks, with an empty line between two of them:
--
--     the name of the document
--     the document, one line of JSON; or several that are reported in turn
--     = the figures of its row; those that are not there are unknown
--
-- A document of several pools has a line "=/NAME ..." for each, where NAME is
-- what its instance is called after the name of the document.  Reports are
-- strict, but not where keys are expected to be unmapped.
\getenv abs_srcdir PG_ABS_SRCDIR
\set directory :abs_srcdir '/test/dialects'

CREATE TEMP TABLE line AS
WITH text AS (
	SELECT family, n, line,
		count(*) FILTER (WHERE line = '') OVER (PARTITION BY family ORDER BY n) AS block
	FROM pg_ls_dir(:'directory') AS family,
		regexp_split_to_table(pg_read_file(:'directory' || '/' || family), '\n')
			WITH ORDINALITY AS l (line, n)
	WHERE line !~ '^#'
)
SELECT family, n, line,
	max(line) FILTER (WHERE line ~ '^\w') OVER (PARTITION BY family, block) AS name
FROM text;

CREATE TEMP TABLE document AS
SELECT family, name, n, line AS stats FROM line WHERE line ~ '^["{[]';

CREATE TEMP TABLE expected AS
SELECT family, name, name || substring(line FROM '^=(\S*)') AS instance,
	figure[1] AS figure, figure[2] AS value
FROM line, regexp_matches(line, '(\w+)=(\S+)', 'g') AS figure WHERE line ~ '^=';

DO $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT *, NOT EXISTS (
			SELECT FROM expected AS e
			WHERE e.family = document.family AND e.name = document.name AND figure = 'unmapped') AS strictly
		FROM document ORDER BY family COLLATE "C", n
	LOOP
		PERFORM set_config('pgpool_stats.strict_reports', d.strictly::text, true);
		BEGIN
			PERFORM pgpool_stats.report(d.family, d.stats::jsonb, d.name);
		EXCEPTION WHEN OTHERS THEN
			RAISE WARNING '%, %: %', d.family, d.name, sqlerrm;
		END;
	END LOOP;
END $$;

CREATE TEMP TABLE found AS
SELECT pool AS family, instance, figure, value
FROM pgpool_stats.instances AS i, json_each_text(row_to_json(i)) AS f (figure, value)
WHERE pool IN (SELECT family FROM document) AND value IS NOT NULL
	AND figure IN ('dialect', 'status', 'pool_size', 'max_overflow', 'max_size', 'unlimited', 'min_size',
		'open', 'checked_out', 'checked_in', 'overflow', 'waiting', 'max_wait', 'used_pct', 'checkouts',
		'waits', 'total_wait_time', 'mean_wait_time', 'timeouts', 'errors', 'unmapped');

-- what is not as expected
SELECT family, instance, figure, e.value AS expected, f.value AS found
FROM expected AS e FULL JOIN found AS f USING (family, instance, figure)
WHERE e.value IS DISTINCT FROM f.value
ORDER BY family COLLATE "C", instance COLLATE "C", figure COLLATE "C";

-- who does not say how many are lent is not silently ok, nor is a library that
-- is not known
CREATE TEMP TABLE note AS
SELECT pool, instance, checked_out, array_to_string(array(
	SELECT n FROM regexp_split_to_table(notes, '; ') AS n
	WHERE n NOT LIKE 'no connection here has had its label%'), '; ') AS notes
FROM pgpool_stats.instances WHERE pool IN (SELECT family FROM document);
SELECT pool, instance FROM note WHERE checked_out IS NULL AND notes = '';
SELECT pool, instance FROM note JOIN pgpool_stats.instances i USING (pool, instance)
WHERE status = 'ok' AND i.checked_out IS NOT NULL AND max_size IS NULL AND unlimited IS DISTINCT FROM true
	AND note.notes !~ 'no maximum told';
SELECT instance, notes FROM note WHERE pool = 'generic' AND notes <> 'the library was not recognised'
ORDER BY instance COLLATE "C";
SELECT count(*) FROM note WHERE pool = 'generic' AND notes NOT LIKE 'the library was not recognised%';

SELECT value AS dialect, count(DISTINCT (family, n)) AS documents, count(DISTINCT (family, instance)) AS rows
FROM expected JOIN document USING (family, name) WHERE figure = 'dialect'
GROUP BY value ORDER BY value COLLATE "C";

-- The view dialects is the table that the parser uses.
SELECT dialect, array_to_string(detected_by, ' & ') AS detected_by
FROM pgpool_stats.get_dialects() WITH ORDINALITY AS t (dialect, detected_by, key, field, conversion, tested_with, n)
GROUP BY dialect, t.detected_by ORDER BY min(n);
SELECT tested_with, count(DISTINCT dialect) FROM pgpool_stats.dialects GROUP BY 1 ORDER BY 1;
SELECT field FROM pgpool_stats.dialects GROUP BY field ORDER BY field COLLATE "C";
SELECT conversion FROM pgpool_stats.dialects GROUP BY conversion ORDER BY conversion COLLATE "C";
SELECT dialect, detected_by, key, field, conversion FROM pgpool_stats.dialects
WHERE (dialect, key) IN (('native', 'unlimited'), ('native', 'max_overflow'), ('psycopg_pool', 'pool_min'),
	('psycopg_pool', 'pool_max'), ('psycopg_pool', 'connections_num'), ('psycopg_pool', 'connections_lost'),
	('psycopg_pool', 'usage_ms'), ('activerecord', 'size'), ('r2dbc', 'maxAllocatedSize'), ('bb8', 'get_started'),
	('bb8', 'get_direct'), ('bb8', 'get_wait_time'), ('pgpool2_pools', 'pool_pid'), ('pgpool2_pools', 'pool_connected'),
	('pgpool2_pools', 'pool_backendpid'), ('deadpool', 'available'), ('dbcp2', 'maxTotal'), ('node_pg', 'max'),
	('micrometer', 'jdbc.connections.max'), ('pgxpool', 'EmptyAcquireWaitTime'), ('pgxpool', 'AcquireDuration'),
	('pgbouncer_pools', 'maxwait'), ('agroal', 'blockingTimeTotal'));

-- every key is taken by its dialect
SET pgpool_stats.strict_reports = on;
SELECT dialect, key FROM pgpool_stats.dialects AS d
WHERE NOT pgpool_stats.report('keys', jsonb_build_object('dialect', dialect,
	-- one that reports a figure must be there
	(SELECT min(key) FROM pgpool_stats.dialects AS f WHERE f.dialect = d.dialect AND field <> 'unlimited'), 1, key,
	CASE conversion WHEN 'boolean' THEN 'true'::jsonb ELSE '1' END));

CREATE FUNCTION pg_temp.folded(text) RETURNS text LANGUAGE sql AS
	$$SELECT lower(regexp_replace($1, '[^A-Za-z0-9*"]', '', 'g'))$$;
-- and stands in a document of it
SELECT dialect, key FROM pgpool_stats.dialects AS k
WHERE NOT EXISTS (SELECT FROM document JOIN expected USING (family, name)
	WHERE figure = 'dialect' AND value = dialect
	AND position(pg_temp.folded(format('"%s"', key)) IN pg_temp.folded(stats)) > 0);
-- a dialect is detected by keys that it knows, or that hold some
SELECT DISTINCT d.dialect, p.pattern FROM pgpool_stats.dialects d, unnest(d.detected_by) p(pattern)
WHERE NOT EXISTS (SELECT FROM regexp_split_to_table(p.pattern, '\|') a(key), pgpool_stats.dialects k
	WHERE k.dialect = d.dialect
	AND pg_temp.folded(k.key) LIKE replace(pg_temp.folded(a.key), '*', '%'));
-- no key stands twice for the same figure
SELECT dialect, pg_temp.folded(key) AS key, field, count(*) FROM pgpool_stats.dialects
GROUP BY 1, 2, 3 HAVING count(*) > 1;
