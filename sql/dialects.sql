-- The view dialects is the table that the parser uses.
SELECT dialect, array_to_string(detected_by, ' & ') AS detected_by, count(*) AS keys, count(field) AS used
FROM pgpool_stats.get_dialects() WITH ORDINALITY AS t(dialect, detected_by, key, field, conversion, n)
GROUP BY dialect, t.detected_by ORDER BY min(n);
SELECT * FROM pgpool_stats.dialects WHERE dialect IN ('psycopg_pool', 'bb8', 'pgpool2_pools', 'r2dbc');
SELECT field, count(DISTINCT dialect) AS dialects FROM pgpool_stats.dialects GROUP BY field ORDER BY field COLLATE "C";
SELECT conversion, count(*) FROM pgpool_stats.dialects GROUP BY conversion ORDER BY conversion COLLATE "C";

-- every key is taken by its dialect
SET pgpool_stats.strict_reports = on;
SELECT dialect, key FROM pgpool_stats.dialects
WHERE NOT pgpool_stats.report('keys', jsonb_build_object('dialect', dialect, key,
	CASE conversion WHEN 'boolean' THEN 'true'::jsonb ELSE '1' END));
-- a dialect is detected by keys that it knows, or that hold some
SELECT DISTINCT d.dialect, p.pattern FROM pgpool_stats.dialects d, unnest(d.detected_by) p(pattern)
WHERE NOT EXISTS (SELECT FROM regexp_split_to_table(p.pattern, '\|') a(key), pgpool_stats.dialects k
	WHERE k.dialect = d.dialect
	AND lower(regexp_replace(k.key, '[^A-Za-z0-9]', '', 'g')) LIKE lower(regexp_replace(replace(a.key, '*', '%'), '[^A-Za-z0-9%]', '', 'g')));
-- no key stands twice for the same figure
SELECT dialect, lower(regexp_replace(key, '[^A-Za-z0-9]', '', 'g')) AS key, field, count(*) FROM pgpool_stats.dialects
GROUP BY 1, 2, 3 HAVING count(*) > 1;
