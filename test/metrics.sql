-- Writes the table of metrics of docs/monitoring.md
\ir metric_names.sql
SELECT '| metric | type | what |'
UNION ALL
SELECT '|---|---|---|'
UNION ALL
(SELECT format('| `%s` | %s | %s |', name, type, help) COLLATE "C" AS line FROM metric_names ORDER BY line);
