-- Writes the table of metrics of docs/alerting.md.  There must be an alert
-- that fires and a pool that tells everything.
SELECT '| metric | type | what |'
UNION ALL
SELECT '|---|---|---|'
UNION ALL
(SELECT DISTINCT format('| `%s` | %s | %s |', name, type, help) COLLATE "C" AS line
 FROM pgpool_stats.metrics ORDER BY line);
