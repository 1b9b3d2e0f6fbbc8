-- Writes docs/monitoring/datadog.yaml
\ir metric_names.sql
SELECT $$# Custom queries of Datadog's PostgreSQL check, for postgres.d/conf.yaml: each figure
# of pgpool_stats.metrics as pgpool_stats.NAME, its labels as tags.  metric_prefix
# keeps the check's own prefix away; names of items do not get it.
#
# Written by: psql -XAtqf test/datadog.sql

init_config: {}
instances:
  - host: localhost
    port: 5432
    dbname: postgres
    username: datadog
    custom_queries:
      - metric_prefix: pgpool_stats
        query: |
          SELECT labels->>'pool' AS pool, labels->>'datname' AS datname, labels->>'usename' AS usename, labels->>'layer' AS layer,
                 labels->>'state' AS state, labels->>'reason' AS reason, labels->>'scope' AS scope,
                 labels->>'name' AS name, labels->>'pooler' AS pooler, labels->>'rule' AS rule,
                 labels->>'severity' AS severity, labels->>'cause' AS cause, labels->>'version' AS version,
                 value, name AS metric
          FROM pgpool_stats.metrics
        columns:
          - {name: pool, type: tag_not_null}
          - {name: datname, type: tag_not_null}
          - {name: usename, type: tag_not_null}
          - {name: layer, type: tag_not_null}
          - {name: state, type: tag_not_null}
          - {name: reason, type: tag_not_null}
          - {name: scope, type: tag_not_null}
          - {name: name, type: tag_not_null}
          - {name: pooler, type: tag_not_null}
          - {name: rule, type: tag_not_null}
          - {name: severity, type: tag_not_null}
          - {name: cause, type: tag_not_null}
          - {name: version, type: tag_not_null}
          - {name: value, type: source}
          - name: metric
            type: match
            source: value
            items:$$
UNION ALL
(SELECT format('              %s: {name: %s, type: %s}', name, regexp_replace(name, '^pgpool_stats_', 'pgpool_stats.'),
	CASE type WHEN 'counter' THEN 'monotonic_count' ELSE 'gauge' END) COLLATE "C" AS line
 FROM metric_names ORDER BY line);
