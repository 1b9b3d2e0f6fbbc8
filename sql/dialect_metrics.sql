-- Metrics: Micrometer, OpenTelemetry, Prisma.
SET pgpool_stats.strict_reports = on;

CREATE TEMP TABLE doc (what text, stats jsonb);
INSERT INTO doc VALUES
	('prisma', '{"counters":[{"key":"prisma_pool_connections_opened_total","labels":{},"value":1,"description":"..."}],"gauges":[{"key":"prisma_pool_connections_busy","labels":{},"value":0}],"histograms":[{"key":"prisma_client_queries_wait_histogram_ms","labels":{},"value":{"buckets":[[0,0],[1,1],[5,0],[10,0],[50,0],[100,0],[500,0],[1000,0],[5000,0],[50000,0]],"sum":0.1,"count":1}}]}'),
	('prisma gauges', '{"counters":[],"gauges":[{"key":"prisma_pool_connections_busy","labels":{},"value":2},{"key":"prisma_pool_connections_idle","labels":{},"value":1},{"key":"prisma_pool_connections_open","labels":{},"value":3},{"key":"prisma_client_queries_wait","labels":{},"value":-1}],"histograms":[]}'),
	('micrometer flat', '{"hikaricp.connections":10,"hikaricp.connections.active":4,"hikaricp.connections.idle":6,"hikaricp.connections.pending":0,"hikaricp.connections.max":10,"hikaricp.connections.min":10,"hikaricp.connections.timeout":2}'),
	('micrometer prometheus', '{"hikaricp_connections":10,"hikaricp_connections_active":4,"hikaricp_connections_timeout_total":2,"hikaricp_connections_acquire_seconds_count":8,"hikaricp_connections_acquire_seconds_sum":0.5,"hikaricp_connections_acquire_seconds_max":0.1}'),
	('micrometer actuator', '{"name":"hikaricp.connections.active","description":"Active connections","baseUnit":null,"measurements":[{"statistic":"VALUE","value":3.0}],"availableTags":[{"tag":"pool","values":["HikariPool-1"]}]}'),
	('micrometer actuators', '[{"name":"hikaricp.connections.active","measurements":[{"statistic":"VALUE","value":3.0}],"availableTags":[]},{"name":"hikaricp.connections.max","measurements":[{"statistic":"VALUE","value":10.0}]},{"name":"hikaricp.connections.acquire","measurements":[{"statistic":"COUNT","value":8.0},{"statistic":"TOTAL_TIME","value":0.5},{"statistic":"MAX","value":0.1}]}]'),
	('micrometer jdbc', '{"jdbc.connections.active":4,"jdbc.connections.idle":6,"jdbc.connections.max":10,"jdbc.connections.min":1}'),
	('micrometer r2dbc', '{"r2dbc.pool.acquired":2,"r2dbc.pool.allocated":3,"r2dbc.pool.idle":1,"r2dbc.pool.pending":0,"r2dbc.pool.max.allocated":10,"r2dbc.pool.max.pending":2147483647}'),
	('hikari prometheus', '{"hikaricp_active_connections":4,"hikaricp_idle_connections":6,"hikaricp_pending_threads":0,"hikaricp_connections":10,"hikaricp_max_connections":10,"hikaricp_min_connections":10,"hikaricp_connection_timeout_total":2,"hikaricp_connection_acquired_nanos_sum":500000000,"hikaricp_connection_acquired_nanos_count":8}'),
	('otel braces', '{"db.client.connection.count{idle}":2,"db.client.connection.count{used}":3,"db.client.connection.max":10,"db.client.connection.idle.min":1,"db.client.connection.idle.max":4,"db.client.connection.pending_requests":0,"db.client.connection.timeouts":1}'),
	('otel nested', '{"db.client.connection.count":{"idle":2,"used":3},"db.client.connection.wait_time":{"sum":1.5,"count":6,"min":0,"max":1}}'),
	('otel attributes', '[{"name":"db.client.connection.count","value":2,"attributes":{"db.client.connection.pool.name":"p","db.client.connection.state":"idle"}},{"name":"db.client.connection.count","value":3,"attributes":{"db.client.connection.state":"used"}},{"name":"db.client.connection.max","value":10}]'),
	('otel old', '{"db.client.connections.usage":{"idle":2,"used":3},"db.client.connections.max":10,"db.client.connections.wait_time":{"sum":1500,"count":6},"db.client.connections.pending_requests":0}'),
	('npgsql', '{"db.client.connection.count":{"idle":2,"used":3},"db.client.connection.max":100,"db.client.connection.npgsql.pending_requests":0,"db.client.connection.npgsql.timeouts":0}');
SELECT bool_and(pgpool_stats.report('metrics', stats, what)) AS all_taken FROM doc;

SELECT instance, dialect, min_size AS min, pool_size AS size, max_overflow AS over, max_size AS max, unlimited AS unlim,
	open, checked_out AS out, checked_in AS "in", overflow AS above, waiting AS wait, max_wait, status
FROM pgpool_stats.instances WHERE pool = 'metrics' ORDER BY instance COLLATE "C";
SELECT instance, checkouts, waits, total_wait_time, mean_wait_time, timeouts, errors, unmapped
FROM pgpool_stats.instances
WHERE pool = 'metrics' AND num_nonnulls(checkouts, waits, total_wait_time, timeouts, errors, unmapped) > 0
ORDER BY instance COLLATE "C";

-- a list with something else in it
SELECT pgpool_stats.report('metrics', '[{"name":"hikaricp.connections.max","value":10},{"value":1}]', 'odd');
SET pgpool_stats.strict_reports = off;
SELECT pgpool_stats.report('metrics', '[{"name":"hikaricp.connections.max","value":10},{"value":1},7]', 'odd');
SELECT max_size, unmapped FROM pgpool_stats.instances WHERE pool = 'metrics' AND instance = 'odd';
