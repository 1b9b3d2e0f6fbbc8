-- Writes the table of metrics of docs/alerting.md.
SELECT '| metric | type | what |'
UNION ALL
SELECT '|---|---|---|'
UNION ALL
(SELECT DISTINCT format('| `%s` | %s | %s |', m[1], CASE WHEN m[1] ~ '_total$' THEN 'counter' ELSE 'gauge' END,
	replace(m[2], '''''', '''')) COLLATE "C" AS line
 FROM regexp_matches(pg_get_viewdef('pgpool_stats.metrics'),
	$$'(pgpool_stats_\w+)'::text[^,']*,\s*'((?:[^']|'')+)'::text$$, 'g') AS m
 ORDER BY line);
