-- Writes the table of rules of docs/alerting.md.
WITH span(rule, text) AS (
	SELECT rule, CASE WHEN for_time = '0' THEN ''
		WHEN for_time < '1 min' THEN extract(second FROM for_time)::int || ' s'
		ELSE extract(minute FROM for_time)::int || ' min' END
	FROM pgpool_stats.rules WHERE origin = 'default'
)
SELECT '| rule | warning | critical | clear | unit | for | what |'
UNION ALL
SELECT '|---|---|---|---|---|---|---|'
UNION ALL
(SELECT format('| `%s` | %s | %s | %s | %s | %s | %s |', r.rule, r.warning, r.critical, r.clear, r.unit, span.text, r.description)
 FROM pgpool_stats.rules r JOIN span USING (rule) WHERE r.origin = 'default');
