/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  Metrics that other things than a pool itself collect.
 *
 * Data only; list.c says how it is used.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/list.h"

/*
 * Prisma up to 6: $metrics.json(), lists of {key, value}
 */
static const PgpsDialectKey prisma_keys[] = {
	{"prisma_pool_connections_busy", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"prisma_pool_connections_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"prisma_pool_connections_open", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"prisma_client_queries_wait", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
	{"prisma_client_queries_wait_histogram_ms.count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"prisma_client_queries_wait_histogram_ms.sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_MS, 0},
	{"counters", 0, PGPS_UNIT_NONE, 0},
	{"gauges", 0, PGPS_UNIT_NONE, 0},
	{"histograms", 0, PGPS_UNIT_NONE, 0},
	{"prisma_client_queries_wait_histogram_ms.buckets", 0, PGPS_UNIT_NONE, 0},
	{"prisma_client_queries_duration_histogram_ms", 0, PGPS_UNIT_NONE, 0},
	{"prisma_datasource_queries_duration_histogram_ms", 0, PGPS_UNIT_NONE, 0},
	{"prisma_pool_connections_opened_total", 0, PGPS_UNIT_NONE, 0},
	{"prisma_pool_connections_closed_total", 0, PGPS_UNIT_NONE, 0},
	{"prisma_client_queries_total", 0, PGPS_UNIT_NONE, 0},
	{"prisma_client_queries_active", 0, PGPS_UNIT_NONE, 0},
	{"prisma_datasource_queries_total", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_prisma = {
	.name = "prisma",
	.detected_by = {"counters", "gauges", "histograms"},
	.keys = prisma_keys,
};

/*
 * Micrometer: names as keys, documents of the actuator, or names of
 * Prometheus; HikariCP's own names for Prometheus.  A timer has COUNT,
 * TOTAL_TIME and MAX.  HikariCP's counts checkouts that timed out, too.
 */
static const PgpsDialectKey micrometer_keys[] = {
	{"hikaricp.connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.pending", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.timeout", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.timeout.COUNT", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.timeout_total", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.acquire.COUNT", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.acquire.TOTAL_TIME", PGPS_ACQUIRE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.acquire.TOTAL", PGPS_ACQUIRE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.acquire_seconds_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp.connections.acquire_seconds_sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.usage.TOTAL_TIME", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.usage.TOTAL", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.usage_seconds_sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S, 0},
	{"hikaricp.connections.acquire", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.acquire.MAX", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.acquire_seconds_max", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.usage", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.usage.COUNT", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.usage.MAX", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.usage_seconds_count", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.usage_seconds_max", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation.COUNT", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation.TOTAL_TIME", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation.TOTAL", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation.MAX", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation_seconds_count", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation_seconds_sum", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp.connections.creation_seconds_max", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp_active_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"hikaricp_idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"hikaricp_pending_threads", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"hikaricp_max_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"hikaricp_min_connections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"hikaricp_connection_timeout_total", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp_connection_acquired_nanos_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"hikaricp_connection_acquired_nanos_sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_NS, 0},
	{"hikaricp_connection_usage_millis_sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS, 0},
	{"hikaricp_connection_usage_millis_count", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp_connection_creation_millis_sum", 0, PGPS_UNIT_NONE, 0},
	{"hikaricp_connection_creation_millis_count", 0, PGPS_UNIT_NONE, 0},
	{"jdbc.connections.active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"jdbc.connections.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"jdbc.connections.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"jdbc.connections.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"r2dbc.pool.acquired", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"r2dbc.pool.allocated", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"r2dbc.pool.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"r2dbc.pool.pending", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"r2dbc.pool.max.allocated", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MAXINT_UNLIMITED},
	{"r2dbc.pool.max.pending", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_micrometer = {
	.name = "micrometer",
	.detected_by = {"hikaricp*|jdbc.connections*|r2dbc.pool*"},
	.keys = micrometer_keys,
};

/*
 * OpenTelemetry's semantic conventions, and Npgsql's names.  Times are
 * seconds; under the old names, "connections", milliseconds.
 */
static const PgpsDialectKey otel_keys[] = {
	{"db.client.connection.count{used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.count{state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.count{db.client.connection.state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{db.client.connection.state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.count{idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.count{state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.count{db.client.connection.state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.usage{db.client.connection.state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.idle.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.pending_requests", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.wait_time.count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.wait_time.sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_S, 0},
	{"db.client.connection.use_time.sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S, 0},
	{"db.client.connection.npgsql.pending_requests", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.npgsql.timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"db.client.connection.idle.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.create_time", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.wait_time.min", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.wait_time.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.use_time.count", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.use_time.min", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.use_time.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.wait_time.buckets", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.use_time.buckets", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.npgsql.create_time", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connection.pool.name", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.idle.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.pending_requests", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.wait_time.count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"db.client.connections.wait_time.sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_MS, 0},
	{"db.client.connections.use_time.sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS, 0},
	{"db.client.connections.idle.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.create_time", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.wait_time.min", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.wait_time.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.use_time.count", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.use_time.min", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.use_time.max", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.wait_time.buckets", 0, PGPS_UNIT_NONE, 0},
	{"db.client.connections.use_time.buckets", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_otel = {
	.name = "otel",
	.detected_by = {"db.client.connection*"},
	.keys = otel_keys,
};
