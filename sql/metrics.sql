-- What exporters read.
SELECT pgpool_stats.reset();
SELECT pgpool_stats.report('exported', '{"pool_size": 5, "max_overflow": 10, "open": 7, "checked_out": 6, "waiting": 0,
	"max_wait": 250, "checkouts": 100, "waits": 4, "total_wait_time": 1500, "timeouts": 1, "errors": 2}', 'web-1:1');
SELECT pgpool_stats.report('exported', '{"pool_size": 5, "max_overflow": 10, "open": 15, "checked_out": 15}', 'web-2:1');
SELECT pgpool_stats.report('taciturn', '{"checked_out": 2}', 'web-1:2');

-- times and what the server counts differ from run to run
SELECT name, type, labels - 'datname' - 'usename' AS labels, value
FROM pgpool_stats.metrics
WHERE labels ->> 'pool' = 'exported'
	AND name !~ '_seconds$|transaction|server_connections|connects|load_sessions'
ORDER BY name COLLATE "C", labels;
-- what is not reported is not there
SELECT name, labels ->> 'state' AS state, value
FROM pgpool_stats.metrics
WHERE labels ->> 'pool' = 'taciturn' AND name ~ '^pgpool_stats_(client|pend|used|full|check|wait|reporting)'
ORDER BY name COLLATE "C";
SELECT count(*) FROM (TABLE pgpool_stats.metrics UNION ALL TABLE pgpool_stats.metrics_instances) m
WHERE value IS NULL OR value = 'NaN' OR name IS NULL OR help IS NULL OR labels IS NULL;

-- seconds; how long one is exhausted
SELECT name, value BETWEEN 0 AND 60 AS recent FROM pgpool_stats.metrics
WHERE name IN ('pgpool_stats_exhausted_seconds', 'pgpool_stats_collector_age_seconds')
	AND coalesce(labels ->> 'pool', 'exported') = 'exported' ORDER BY 1;
SELECT value FROM pgpool_stats.metrics
WHERE name = 'pgpool_stats_exhausted_seconds' AND labels ->> 'pool' = 'taciturn';
SELECT round(extract(epoch FROM now()) - value::numeric) BETWEEN 0 AND 60 AS recent FROM pgpool_stats.metrics
WHERE name = 'pgpool_stats_last_report_timestamp_seconds' AND labels ->> 'pool' = 'exported';

-- the server, its databases and roles
CREATE ROLE regress_pgps_limited LOGIN CONNECTION LIMIT 4;
SELECT name, type, labels, value FROM pgpool_stats.metrics
WHERE labels ->> 'name' = 'regress_pgps_limited' ORDER BY name COLLATE "C";
SELECT name, labels, value FROM pgpool_stats.metrics
WHERE labels ->> 'scope' = 'server' AND name ~ 'usable|used_ratio' ORDER BY name COLLATE "C";
DROP ROLE regress_pgps_limited;
SELECT name, labels, value FROM pgpool_stats.metrics
WHERE name IN ('pgpool_stats_build_info', 'pgpool_stats_registry_sees_all') ORDER BY name COLLATE "C";

-- instances
SELECT name, type, labels - 'datname' - 'usename' AS labels, value
FROM pgpool_stats.metrics_instances
WHERE labels ->> 'pool' = 'exported' AND name ~ 'used_ratio|connections$|wait_seconds' AND name !~ 'server'
ORDER BY name COLLATE "C", labels;
-- the names are no others than these: all are of the prefix, counters end in _total
SELECT DISTINCT name, type FROM (TABLE pgpool_stats.metrics UNION ALL TABLE pgpool_stats.metrics_instances) m
WHERE name !~ '^pgpool_stats_[a-z_]+$' OR (type = 'counter') <> (name ~ '_total$');
-- one help for a name, and no name in both views
SELECT name FROM pgpool_stats.metrics GROUP BY 1 HAVING count(DISTINCT help) > 1;
SELECT name FROM pgpool_stats.metrics INTERSECT SELECT name FROM pgpool_stats.metrics_instances;

-- histograms: how long connects and transactions took, ours at least
\c -
SELECT name, type, help FROM pgpool_stats.metrics_histograms GROUP BY 1, 2, 3 ORDER BY name COLLATE "C";
SELECT DISTINCT array_agg(le ORDER BY le) AS limits FROM pgpool_stats.metrics_histograms GROUP BY name, labels ORDER BY 1;
SELECT name, labels FROM pgpool_stats.metrics_histograms GROUP BY 1, 2
HAVING array_agg(count ORDER BY le) <> array_agg(count ORDER BY count) OR max(sum) <> min(sum) OR max(count) = 0 OR NOT max(sum) > 0;

-- the text
SELECT line FROM string_to_table(pgpool_stats.openmetrics(), E'\n') WITH ORDINALITY AS t(line, n)
WHERE line ~ '(HELP|TYPE|^)[ ]?pgpool_stats_(checkouts(_total)?|client_connections)( |[{].*"exported")' ORDER BY n;
SELECT line FROM string_to_table(pgpool_stats.prometheus(), E'\n') WITH ORDINALITY AS t(line, n)
WHERE line ~ '(HELP|TYPE|^)[ ]?pgpool_stats_(checkouts_total|client_connections)( |[{].*"exported")' ORDER BY n;
SELECT right(pgpool_stats.openmetrics(), 7) ~ '[^\n]\n# EOF' AS ends, right(pgpool_stats.prometheus(), 2) ~ '[^\n]\n' AS and_this;
SELECT count(*) AS app_names FROM string_to_table(pgpool_stats.openmetrics(), E'\n') AS t(line) WHERE line ~ 'db_pool';
SELECT line FROM string_to_table(pgpool_stats.openmetrics(app_names => true), E'\n') WITH ORDINALITY AS t(line, n)
WHERE line ~ '^# .*db_pool|^db_pool.*"exported"' ORDER BY n;

-- a dropped role and its successor of the same name are one series
SELECT current_user AS regress_super, current_database() AS db \gset
CREATE ROLE regress_pgps_again LOGIN;
\c - regress_pgps_again
SELECT pgpool_stats.report('again', '{"checkouts": 10, "checked_out": 1, "max_size": 2}', 'i');
\c - :regress_super
DROP ROLE regress_pgps_again;
CREATE ROLE regress_pgps_again LOGIN;
\c - regress_pgps_again
SELECT pgpool_stats.report('again', '{"checkouts": 1, "checked_out": 2, "max_size": 2}', 'i');
\c - :regress_super
SELECT count(*) FROM pgpool_stats.pools WHERE pool = 'again';
SELECT name, value FROM pgpool_stats.metrics
WHERE labels ->> 'pool' = 'again' AND name ~ '(checkouts_total|fullest_ratio)$' ORDER BY 1;
SELECT name, value FROM pgpool_stats.metrics_instances
WHERE labels ->> 'pool' = 'again' AND name ~ '(checkouts_total|used_ratio)$' ORDER BY 1;

-- what the server sees is unknown of an instance that only reports
SELECT pgpool_stats.report('seen', '{"checked_out": 1}', 'i');
\set server 'SELECT count(*) AS figures, max(value) FILTER (WHERE name ~ \'server_connections$\') AS connections FROM pgpool_stats.metrics_instances WHERE labels ->> \'pool\' = \'seen\' AND name ~ \'server_connections|transaction|_exhausted_|_(dis)?connects_|_sessions_\';'
:server
SET pgpool_stats.instance = 'i';
SET pgpool_stats.pool = 'seen';
:server
RESET pgpool_stats.pool;
RESET pgpool_stats.instance;

-- a role sees its own
CREATE ROLE regress_pgps_nobody LOGIN;
\c - regress_pgps_nobody
SELECT DISTINCT labels ->> 'usename' AS usename FROM pgpool_stats.metrics WHERE labels ? 'pool';
SELECT DISTINCT labels ->> 'usename' AS usename FROM pgpool_stats.metrics_instances;
SELECT count(*) > 0 AS budget FROM pgpool_stats.metrics WHERE labels ? 'scope';
SELECT value FROM pgpool_stats.metrics WHERE name = 'pgpool_stats_registry_sees_all';
SELECT pgpool_stats.openmetrics() ~ 'exported' AS others;
\c - :regress_super
DROP ROLE regress_pgps_again, regress_pgps_nobody;
SELECT pgpool_stats.forget(pool, instance) IS NOT NULL AS forgotten
FROM pgpool_stats.instances WHERE pool IN ('exported', 'taciturn');
