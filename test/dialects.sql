-- The table of keys of docs/clients.md, as the view has it.
WITH numbered AS (
	SELECT row_number() OVER () AS n, * FROM pgpool_stats.dialects
), ways AS (
	SELECT dialect, min(n) AS n, replace(array_to_string(detected_by, ', '), '|', ' or ') AS way
	FROM numbered GROUP BY dialect, detected_by
), keys AS (
	SELECT dialect, field, key, min(n) AS n
	FROM numbered WHERE field IS NOT NULL GROUP BY dialect, field, key
), figures AS (
	SELECT dialect, field, min(n) AS n, string_agg(key, ', ' ORDER BY n) AS keys
	FROM keys GROUP BY dialect, field
), rows AS (
	SELECT dialect, min(n) AS n,
		string_agg(format('%s: `%s`', field, keys), '; ' ORDER BY n) AS figures
	FROM figures GROUP BY dialect
)
SELECT E'| dialect | detected by | figures and the keys that report them |\n|---|---|---|'
UNION ALL
(SELECT format('| %s | %s | %s |', dialect,
	(SELECT string_agg(way, '; or ' ORDER BY ways.n) FROM ways WHERE ways.dialect = rows.dialect),
	figures)
FROM rows ORDER BY n);
