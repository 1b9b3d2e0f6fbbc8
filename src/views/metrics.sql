--
-- For exporters.  An unknown figure has no row: as NULL it would become NaN on
-- the way, and so would every sum over it.  Names end as Prometheus wants it:
-- in _total what only grows, in _seconds, _ratio, _value, _cause and
-- _bottleneck what cannot be added up.  A dropped and a new role or database of one name are one series.
-- After a crash, exported counters begin again at 0: one that only steps back
-- to its last save would look as if all of it were new.
--

CREATE FUNCTION pgpool_stats.get_metrics(pool_numbers int[] DEFAULT '{}',
										 per_instance boolean DEFAULT false)
RETURNS TABLE (
	name text,
	type text,
	help text,
	labels jsonb,
	value float8
)
AS 'MODULE_PATHNAME', 'pgps_get_metrics'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 30;
COMMENT ON FUNCTION pgpool_stats.get_metrics(int[], boolean) IS
	'those of pools of one name, behind metrics';

CREATE FUNCTION pgpool_stats.get_rejected_by_reason()
RETURNS TABLE (
	reason text,
	count bigint,
	rejecter text
)
AS 'MODULE_PATHNAME', 'pgps_get_rejected_by_reason'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_rejected_by_reason() IS
	'rejected connections by reason, behind the view metrics';

CREATE VIEW pgpool_stats.metrics AS
	SELECT m.name, m.type, m.help, m.labels, m.value
	FROM (SELECT pg_catalog.array_agg(number) AS numbers
		  FROM pgpool_stats.get_pool_names() GROUP BY pool, datname, usename) AS p
		CROSS JOIN LATERAL pgpool_stats.get_metrics(p.numbers) AS m
	UNION ALL
	SELECT name,
		   CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type,
		   help,
		   labels,
		   CASE WHEN name ~ '_(seconds|ratio|value|cause|bottleneck)$'
				THEN pg_catalog.max(value) ELSE pg_catalog.sum(value) END AS value
	FROM (
		SELECT m.name,
			   m.help,
			   CASE b.scope WHEN 'server' THEN '{"scope": "server"}'
					ELSE pg_catalog.jsonb_build_object('scope', b.scope, 'name', b.name) END,
			   m.value
		FROM pgpool_stats.get_budget(exported => true) AS b CROSS JOIN LATERAL (VALUES
			('pgpool_stats_budget_usable_connections', 'Connections an ordinary role can use of a limit.', b.usable::float8),
			('pgpool_stats_budget_used_connections', 'Connections used of a limit.', b.used::float8),
			('pgpool_stats_budget_used_ratio', 'Connections used, of the usable.', b.used_pct::float8 / 100::float8),
			('pgpool_stats_budget_starting_connections', 'Connections still authenticating.', b.starting::float8),
			('pgpool_stats_budget_headroom_connections', 'Connections still possible, by all limits.', b.headroom::float8),
			('pgpool_stats_budget_committed_connections', 'Connections the pools may ask for.', b.committed::float8),
			('pgpool_stats_budget_peak_committed_connections', 'Connections the pools may ask for at their largest.', b.committed_peak::float8),
			('pgpool_stats_budget_uncapped_instances', 'Instances without a known maximum.', b.uncapped::float8),
			('pgpool_stats_budget_peak_used_connections', 'Most connections at once since the last reset.', b.peak_used::float8),
			('pgpool_stats_budget_rejected_total', 'Connections rejected by a limit.', b.rejected::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT m.name, m.help, pg_catalog.jsonb_build_object('pooler', p.name), m.value
		FROM pgpool_stats.poolers AS p CROSS JOIN LATERAL (VALUES
			('pgpool_stats_pooler_up', 'Did the pooler answer when it was last asked?', p.reachable::int::float8),
			('pgpool_stats_pooler_poll_seconds', 'Time the pooler took to answer.', p.poll_time / 1000::float8),
			('pgpool_stats_pooler_client_connections', 'Client connections of the pooler.', p.clients::float8),
			('pgpool_stats_pooler_client_connections_max', 'Client connections the pooler takes.', p.max_client_conn::float8),
			('pgpool_stats_pooler_received_bytes_total', 'Bytes from clients of the pooler.', p.bytes_received::float8),
			('pgpool_stats_pooler_sent_bytes_total', 'Bytes to clients of the pooler.', p.bytes_sent::float8),
			('pgpool_stats_pooler_client_parses_total', 'Prepared statements that clients of the pooler made.', p.client_parses::float8),
			('pgpool_stats_pooler_server_parses_total', 'Prepared statements that the pooler made here for them.', p.server_parses::float8),
			('pgpool_stats_pooler_binds_total', 'Executions of prepared statements through the pooler.', p.binds::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT 'pgpool_stats_alert_value',
			   'Value of an alert that fires and is not silenced, in its rule''s unit.',
			   pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
					'rule', a.rule, 'severity', a.severity, 'pool', a.pool,
					'datname', a.datname, 'usename', a.usename)),
			   a.value
		FROM pgpool_stats.alerts AS a
		WHERE a.state = 'firing' AND a.silenced_until IS NULL
		UNION ALL
		SELECT 'pgpool_stats_alert_cause',
			   '1 for each known cause of an alert that fires and is not silenced.',
			   pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
					'rule', a.rule, 'pool', a.pool, 'datname', a.datname,
					'usename', a.usename, 'cause', a.cause)),
			   1::float8
		FROM pgpool_stats.alerts AS a
		WHERE a.state = 'firing' AND a.silenced_until IS NULL AND a.cause IS NOT NULL
		UNION ALL
		SELECT 'pgpool_stats_chain_bottleneck',
			   '1 where callers wait, or would: state is application, pooler or server.',
			   pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
					'pool', c.pool, 'datname', c.datname, 'usename', c.usename,
					'pooler', c.pooler, 'state', c.bottleneck, 'reason', c.reason)),
			   1::float8
		FROM pgpool_stats.chains AS c
		WHERE c.bottleneck IS NOT NULL
		UNION ALL
		SELECT 'pgpool_stats_load_sessions',
			   'Average sessions in a transaction in the last minute, by what they do.',
			   pg_catalog.jsonb_build_object('pool', l.pool, 'datname', l.datname,
					'usename', l.usename, 'state', s.state),
			   s.sessions
		FROM pgpool_stats.get_load() AS l CROSS JOIN LATERAL (VALUES
			('cpu', l.cpu),
			('io', l.io),
			('lock', l.lock),
			('lwlock', l.lwlock),
			('client', l.client),
			('other', l.other),
			('idle_in_xact', l.idle_in_xact)
		) AS s (state, sessions)
		WHERE l.pool IS NOT NULL
		UNION ALL
		SELECT 'pgpool_stats_disconnects_by_reason_total',
			   'Connections to this server ended, by reason.',
			   pg_catalog.jsonb_build_object('pool', d.pool, 'datname', d.datname,
					'usename', d.usename, 'reason', d.reason),
			   d.count::float8
		FROM pgpool_stats.get_disconnects(exported => true) AS d
		UNION ALL
		SELECT m.name, m.help, pg_catalog.jsonb_build_object('reason', r.reason), r.count::float8
		FROM pgpool_stats.get_rejected_by_reason() AS r JOIN (VALUES
			('limit', 'pgpool_stats_rejected_total', 'Connections rejected by a limit, by reason.'),
			('login', 'pgpool_stats_rejected_logins_total', 'Logins rejected, by reason.'),
			('unavailable', 'pgpool_stats_rejected_unavailable_total', 'Connections rejected because the server starts, stops or recovers, by reason.')
		) AS m (rejecter, name, help) USING (rejecter)
		UNION ALL
		SELECT m.name, m.help, '{}', m.value
		FROM pgpool_stats.get_server_usage() AS u CROSS JOIN LATERAL (VALUES
			('pgpool_stats_server_cpu_seconds_total', 'CPU time of all processes of the server.', u.cpu_time / 1000::float8),
			('pgpool_stats_server_wal_bytes_total', 'WAL written by all.', u.wal_bytes::float8),
			('pgpool_stats_server_memory_bytes', 'Memory of the client connections that were looked at.', u.memory::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT m.name, m.help, m.labels, m.value
		FROM pgpool_stats.info AS i CROSS JOIN LATERAL (VALUES
			('pgpool_stats_build_info', 'Version of pgpool_stats.', pg_catalog.jsonb_build_object('version', i.version), 1::float8),
			('pgpool_stats_registry_sees_all', 'Does the exporter''s role see all pools?', '{}', i.sees_all::int::float8),
			('pgpool_stats_collector_age_seconds', 'Time since the last pass of the collector.', '{}',
				pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - i.last_pass)),
			('pgpool_stats_registry_instances', 'Instances the registry keeps.', '{}', i.instances_used::float8),
			('pgpool_stats_registry_instances_max', 'Instances the registry has room for.', '{}', i.instances_max::float8),
			('pgpool_stats_registry_overflowed_total', 'Reports and connections put into (other) for want of room.', '{}', i.overflowed_instances::float8),
			('pgpool_stats_registry_dropped_total', 'Rows of the registry given up early to make room.', '{}', i.dropped::float8),
			('pgpool_stats_registry_unlabelled_connections', 'Connections without a label.', '{}', i.unlabelled_connections::float8),
			('pgpool_stats_registry_unmapped_keys_total', 'Keys of reports not understood.', '{}', i.unmapped_keys::float8),
			('pgpool_stats_registry_start_timestamp_seconds', 'When the server started.', '{}', pg_catalog.date_part('epoch', i.started_at)),
			('pgpool_stats_registry_reset_timestamp_seconds', 'Since when counters count.', '{}', pg_catalog.date_part('epoch', i.stats_reset))
		) AS m (name, help, labels, value)
	) AS sample (name, help, labels, value)
	WHERE value IS NOT NULL
	GROUP BY name, help, labels;
GRANT SELECT ON pgpool_stats.metrics TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics IS
	'All figures for exporters, per pool; unknown = no row';
COMMENT ON COLUMN pgpool_stats.metrics.name IS 'Name as used by Prometheus';
COMMENT ON COLUMN pgpool_stats.metrics.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics.labels IS 'What it is about: pool, database, role ...';
COMMENT ON COLUMN pgpool_stats.metrics.value IS 'Never null; seconds, ratios 0 to 1';

CREATE VIEW pgpool_stats.metrics_instances AS
	SELECT m.name, m.type, m.help, m.labels, m.value
	FROM (SELECT pg_catalog.array_agg(number) AS numbers
		  FROM pgpool_stats.get_pool_names() WHERE instances > 0
		  GROUP BY pool, datname, usename) AS p
		CROSS JOIN LATERAL pgpool_stats.get_metrics(p.numbers, true) AS m;
GRANT SELECT ON pgpool_stats.metrics_instances TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics_instances IS
	'The same per instance; new series with every deploy';
COMMENT ON COLUMN pgpool_stats.metrics_instances.name IS 'Name as used by Prometheus';
COMMENT ON COLUMN pgpool_stats.metrics_instances.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics_instances.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics_instances.labels IS 'What it is about: pool, instance, database, role';
COMMENT ON COLUMN pgpool_stats.metrics_instances.value IS 'Never null; seconds, ratios 0 to 1';
