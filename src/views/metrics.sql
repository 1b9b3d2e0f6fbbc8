--
-- For exporters.  A figure that nobody told has no row: as NULL it would
-- become NaN on the way, and so would every sum over it.  Names end as
-- Prometheus wants it: in _total what only grows, in _seconds, _ratio and
-- _value what cannot be added up.  A dropped and a new role or database of one name are
-- one series.  After a crash, exported counters begin again at 0: one that only
-- steps back to its last save would look as if all of it were new.
--

CREATE FUNCTION pgpool_stats.get_refusals()
RETURNS TABLE (
	reason text,
	count bigint
)
AS 'MODULE_PATHNAME', 'pgps_get_refusals'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_refusals() IS
	'refused connections by reason, behind the view metrics';

CREATE VIEW pgpool_stats.metrics AS
	SELECT name,
		   CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type,
		   help,
		   labels,
		   CASE WHEN name ~ '_(seconds|ratio|value)$'
				THEN pg_catalog.max(value) ELSE pg_catalog.sum(value) END AS value
	FROM (
		SELECT m.name,
			   m.help,
			   pg_catalog.jsonb_build_object('pool', p.pool,
											 'datname', p.datname,
											 'usename', p.usename) || m.labels ||
				CASE p.source WHEN 'pooler' THEN '{"layer": "pooler"}'::jsonb ELSE '{}' END,
			   m.value
		FROM pgpool_stats.get_pools(exported => true) AS p CROSS JOIN LATERAL (VALUES
			('pgpool_stats_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "used"}'::jsonb, p.checked_out::float8),
			('pgpool_stats_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "idle"}', p.checked_in::float8),
			('pgpool_stats_client_connections_max', 'Connections the pool may open.', '{}', p.max_size::float8),
			('pgpool_stats_pool_size', 'Connections the pool may open without overflow.', '{}', p.pool_size::float8),
			('pgpool_stats_overflow_connections', 'Connections the pool has open above its size.', '{}', p.overflow::float8),
			('pgpool_stats_pending_requests', 'Callers queued for a connection.', '{}', p.waiting::float8),
			('pgpool_stats_pending_oldest_seconds', 'Age of the oldest waiting caller.', '{}', p.max_wait / 1000::float8),
			('pgpool_stats_used_ratio', 'Connections lent, of the maximum.', '{}', p.used_pct::float8 / 100::float8),
			('pgpool_stats_fullest_ratio', 'Connections lent, of the maximum, in the fullest instance.', '{}', p.fullest_pct::float8 / 100::float8),
			('pgpool_stats_live_instances', 'Live instances.', '{}', p.instances::float8),
			('pgpool_stats_reporting_instances', 'Live instances that report.', '{}', p.reporting::float8),
			('pgpool_stats_exhausted_instances', 'Instances that have lent everything.', '{}', p.exhausted_instances::float8),
			('pgpool_stats_exhausted_seconds', 'How long an instance has been exhausted, the longest of all.', '{}',
				CASE p.status WHEN 'exhausted' THEN pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - p.status_since) ELSE 0 END),
			('pgpool_stats_silent_instances', 'Instances that work but do not report.', '{}', p.silent_instances::float8),
			('pgpool_stats_gone_instances', 'Instances that ended without goodbye.', '{}', p.gone_instances::float8),
			('pgpool_stats_server_connections', 'Connections the server has for the pool.', '{}', p.connections::float8),
			('pgpool_stats_server_connections_in_transaction', 'Connections inside a transaction, by the server.', '{}', p.in_xact::float8),
			('pgpool_stats_server_connections_idle_in_transaction', 'Connections idle inside a transaction, by the server.', '{}', p.idle_in_xact::float8),
			('pgpool_stats_unclaimed_connections', 'Connections the server has and the pool does not claim.', '{}', p.unclaimed::float8),
			('pgpool_stats_peak_connections', 'Most connections at once since the last reset.', '{}', p.peak_connections::float8),
			('pgpool_stats_last_report_timestamp_seconds', 'When an instance last reported.', '{}', pg_catalog.date_part('epoch', p.last_report)),
			('pgpool_stats_checkouts_total', 'Connections callers asked for.', '{}', p.checkouts::float8),
			('pgpool_stats_waits_total', 'Callers that had to wait.', '{}', p.waits::float8),
			('pgpool_stats_wait_seconds_total', 'Time callers waited.', '{}', p.total_wait_time / 1000::float8),
			('pgpool_stats_wait_events_total', 'Waits, or checkouts, by library: divides the time waited for its mean.', '{}',
				CASE WHEN p.mean_wait_time > 0 THEN pg_catalog.round(p.total_wait_time / p.mean_wait_time) ELSE p.waits END),
			('pgpool_stats_timeouts_total', 'Callers that gave up waiting.', '{}', p.timeouts::float8),
			('pgpool_stats_errors_total', 'Failed checkouts other than timeouts, and failed connects.', '{}', p.errors::float8),
			('pgpool_stats_transactions_total', 'Transactions the server has seen.', '{}', p.xacts::float8),
			('pgpool_stats_transaction_seconds_total', 'Time inside transactions.', '{}', p.total_xact_time / 1000::float8),
			('pgpool_stats_connects_total', 'Connections made to this server.', '{}', p.connects::float8),
			('pgpool_stats_disconnects_total', 'Connections to this server ended.', '{}', p.disconnects::float8),
			('pgpool_stats_pool_rejected_total', 'Connections of the pool refused by a limit.', '{}', p.rejected::float8)
		) AS m (name, help, labels, value)
		UNION ALL
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
			('pgpool_stats_budget_rejected_total', 'Connections refused by a limit.', b.rejected::float8)
		) AS m (name, help, value)
		UNION ALL
		SELECT m.name, m.help, pg_catalog.jsonb_build_object('pooler', p.name), m.value
		FROM pgpool_stats.poolers AS p CROSS JOIN LATERAL (VALUES
			('pgpool_stats_pooler_up', 'Did the pooler answer when it was last asked?', p.reachable::int::float8),
			('pgpool_stats_pooler_poll_seconds', 'Time the pooler took to answer.', p.poll_time / 1000::float8),
			('pgpool_stats_pooler_client_connections', 'Client connections of the pooler.', p.clients::float8),
			('pgpool_stats_pooler_client_connections_max', 'Client connections the pooler takes.', p.max_client_conn::float8)
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
		SELECT 'pgpool_stats_rejected_total', 'Connections refused, by reason.',
			   pg_catalog.jsonb_build_object('reason', r.reason), r.count::float8
		FROM pgpool_stats.get_refusals() AS r
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
	'All of it for exporters, per pool; unknown = no row';
COMMENT ON COLUMN pgpool_stats.metrics.name IS 'Name as Prometheus wants it';
COMMENT ON COLUMN pgpool_stats.metrics.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics.labels IS 'Whose it is';
COMMENT ON COLUMN pgpool_stats.metrics.value IS 'Never null; seconds, ratios 0 to 1';

CREATE VIEW pgpool_stats.metrics_instances AS
	SELECT name,
		   CASE WHEN name ~ '_total$' THEN 'counter' ELSE 'gauge' END AS type,
		   help,
		   labels,
		   CASE WHEN name ~ '_(seconds|ratio)$'
				THEN pg_catalog.max(value) ELSE pg_catalog.sum(value) END AS value
	FROM (
		SELECT m.name,
			   m.help,
			   pg_catalog.jsonb_build_object('pool', i.pool,
											 'pool_instance', i.instance,
											 'datname', i.datname,
											 'usename', i.usename) || m.labels ||
				CASE i.source WHEN 'pooler' THEN '{"layer": "pooler"}'::jsonb ELSE '{}' END,
			   m.value
		FROM pgpool_stats.get_instances(exported => true) AS i CROSS JOIN LATERAL (VALUES
			('pgpool_stats_instance_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "used"}'::jsonb, i.checked_out::float8),
			('pgpool_stats_instance_client_connections', 'Connections the pool has open, lent (used) or idle.', '{"state": "idle"}', i.checked_in::float8),
			('pgpool_stats_instance_client_connections_max', 'Connections the pool may open.', '{}', i.max_size::float8),
			('pgpool_stats_instance_client_connections_min', 'Connections the pool keeps open.', '{}', i.min_size::float8),
			('pgpool_stats_instance_pool_size', 'Connections the pool may open without overflow.', '{}', i.pool_size::float8),
			('pgpool_stats_instance_overflow_connections', 'Connections the pool has open above its size.', '{}', i.overflow::float8),
			('pgpool_stats_instance_pending_requests', 'Callers queued for a connection.', '{}', i.waiting::float8),
			('pgpool_stats_instance_pending_oldest_seconds', 'Age of the oldest waiting caller.', '{}', i.max_wait / 1000::float8),
			('pgpool_stats_instance_used_ratio', 'Connections lent, of the maximum.', '{}', i.used_pct::float8 / 100::float8),
			('pgpool_stats_instance_server_connections', 'Connections the server has for the pool.', '{}', i.connections::float8),
			('pgpool_stats_instance_server_connections_in_transaction', 'Connections inside a transaction, by the server.', '{}', i.in_xact::float8),
			('pgpool_stats_instance_server_connections_idle_in_transaction', 'Connections idle inside a transaction, by the server.', '{}', i.idle_in_xact::float8),
			('pgpool_stats_instance_unclaimed_connections', 'Connections the server has and the pool does not claim.', '{}', i.unclaimed::float8),
			('pgpool_stats_instance_peak_in_transaction', 'Most connections in a transaction at once since the last reset.', '{}', i.peak_in_xact::float8),
			('pgpool_stats_instance_last_report_timestamp_seconds', 'When it last reported.', '{}', pg_catalog.date_part('epoch', i.last_report)),
			('pgpool_stats_instance_exhausted_total', 'Times all its connections were in a transaction.', '{}', i.exhausted_count::float8),
			('pgpool_stats_instance_exhausted_seconds_total', 'Time all its connections were in a transaction.', '{}', i.exhausted_time / 1000::float8),
			('pgpool_stats_instance_checkouts_total', 'Connections callers asked for.', '{}', i.checkouts::float8),
			('pgpool_stats_instance_waits_total', 'Callers that had to wait.', '{}', i.waits::float8),
			('pgpool_stats_instance_wait_seconds_total', 'Time callers waited.', '{}', i.total_wait_time / 1000::float8),
			('pgpool_stats_instance_timeouts_total', 'Callers that gave up waiting.', '{}', i.timeouts::float8),
			('pgpool_stats_instance_errors_total', 'Failed checkouts other than timeouts, and failed connects.', '{}', i.errors::float8),
			('pgpool_stats_instance_transactions_total', 'Transactions the server has seen.', '{}', i.xacts::float8),
			('pgpool_stats_instance_transaction_seconds_total', 'Time inside transactions.', '{}', i.total_xact_time / 1000::float8),
			('pgpool_stats_instance_connects_total', 'Connections made to this server.', '{}', i.connects::float8),
			('pgpool_stats_instance_disconnects_total', 'Connections to this server ended.', '{}', i.disconnects::float8),
			('pgpool_stats_instance_rejected_total', 'Connections of the pool refused by a limit.', '{}', i.rejected::float8)
		) AS m (name, help, labels, value)
	) AS sample (name, help, labels, value)
	WHERE value IS NOT NULL
	GROUP BY name, help, labels;
GRANT SELECT ON pgpool_stats.metrics_instances TO PUBLIC;
COMMENT ON VIEW pgpool_stats.metrics_instances IS
	'The same per instance; new names with every deploy';
COMMENT ON COLUMN pgpool_stats.metrics_instances.name IS 'Name as Prometheus wants it';
COMMENT ON COLUMN pgpool_stats.metrics_instances.type IS 'gauge or counter';
COMMENT ON COLUMN pgpool_stats.metrics_instances.help IS 'What it is';
COMMENT ON COLUMN pgpool_stats.metrics_instances.labels IS 'Whose it is';
COMMENT ON COLUMN pgpool_stats.metrics_instances.value IS 'Never null; seconds, ratios 0 to 1';
