/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  Metrics that other things than a pool itself collect.
 *
 * Data only; see list.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "dialects/list.h"

/*
 * Prisma up to 6: $metrics.json(), lists of {key, value}
 */
const PgpsDialect pgps_prisma = {
	.name = "prisma",
	.detected_by = {"counters", "gauges", "histograms"},
	.keys = (const PgpsDialectKey[]) {
		{"prisma_pool_connections_busy", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"prisma_pool_connections_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"prisma_pool_connections_open", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"prisma_client_queries_wait", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
		{"prisma_client_queries_wait_histogram_ms.count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"prisma_client_queries_wait_histogram_ms.sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_MS},
		{NULL}
	},
	.ignored = PGPS_WORDS("counters", "gauges", "histograms",
						  "prisma_client_queries_wait_histogram_ms.buckets",
						  "prisma_client_queries_duration_histogram_ms",
						  "prisma_datasource_queries_duration_histogram_ms",
						  "prisma_pool_connections_opened_total",
						  "prisma_pool_connections_closed_total",
						  "prisma_client_queries_total",
						  "prisma_client_queries_active",
						  "prisma_datasource_queries_total"),
};

/*
 * Micrometer: names as keys, documents of the actuator, or names of
 * Prometheus; HikariCP's own names for Prometheus.  A timer has COUNT,
 * TOTAL_TIME and MAX.  HikariCP's counts checkouts that timed out, too.
 */
const PgpsDialect pgps_micrometer = {
	.name = "micrometer",
	.detected_by = {"hikaricp*|jdbc.connections*|r2dbc.pool*"},
	.keys = (const PgpsDialectKey[]) {
		{"hikaricp.connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"hikaricp.connections.active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"hikaricp.connections.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"hikaricp.connections.pending", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"hikaricp.connections.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"hikaricp.connections.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"hikaricp.connections.timeout", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"hikaricp.connections.timeout.COUNT", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"hikaricp.connections.timeout_total", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"hikaricp.connections.acquire.COUNT", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"hikaricp.connections.acquire.TOTAL_TIME", PGPS_ACQUIRE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.acquire.TOTAL", PGPS_ACQUIRE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.acquire_seconds_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"hikaricp.connections.acquire_seconds_sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.usage.TOTAL_TIME", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.usage.TOTAL", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.usage_seconds_sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.creation.COUNT", PGPS_CREATED, PGPS_UNIT_COUNT},
		{"hikaricp.connections.creation.TOTAL_TIME", PGPS_CREATE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.creation.TOTAL", PGPS_CREATE_TIME, PGPS_UNIT_S},
		{"hikaricp.connections.creation_seconds_count", PGPS_CREATED, PGPS_UNIT_COUNT},
		{"hikaricp.connections.creation_seconds_sum", PGPS_CREATE_TIME, PGPS_UNIT_S},
		{"hikaricp_active_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"hikaricp_idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"hikaricp_pending_threads", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"hikaricp_max_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"hikaricp_min_connections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"hikaricp_connection_timeout_total", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"hikaricp_connection_acquired_nanos_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"hikaricp_connection_acquired_nanos_sum", PGPS_ACQUIRE_TIME, PGPS_UNIT_NS},
		{"hikaricp_connection_usage_millis_sum", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS},
		{"hikaricp_connection_creation_millis_count", PGPS_CREATED, PGPS_UNIT_COUNT},
		{"hikaricp_connection_creation_millis_sum", PGPS_CREATE_TIME, PGPS_UNIT_MS},
		{"jdbc.connections.active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"jdbc.connections.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"jdbc.connections.max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"jdbc.connections.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"r2dbc.pool.acquired", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"r2dbc.pool.allocated", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"r2dbc.pool.idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"r2dbc.pool.pending", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"r2dbc.pool.max.allocated", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MAXINT_UNLIMITED},
		{NULL}
	},
	.ignored = PGPS_WORDS("hikaricp.connections.acquire",
						  "hikaricp.connections.acquire.MAX",
						  "hikaricp.connections.acquire_seconds_max",
						  "hikaricp.connections.usage",
						  "hikaricp.connections.usage.COUNT",
						  "hikaricp.connections.usage.MAX",
						  "hikaricp.connections.usage_seconds_count",
						  "hikaricp.connections.usage_seconds_max",
						  "hikaricp.connections.creation",
						  "hikaricp.connections.creation.MAX",
						  "hikaricp.connections.creation_seconds_max",
						  "hikaricp_connection_usage_millis_count",
						  "r2dbc.pool.max.pending"),
};

/*
 * OpenTelemetry's semantic conventions.  Names under "connection" are the
 * newer ones, with times in seconds; those under "connections", with times in
 * milliseconds, came before.
 */
#define OTEL_KEYS(prefix, count, time_unit) \
	{prefix count "{used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT}, \
	{prefix count "{state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT}, \
	{prefix count "{db.client.connection.state=used}", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT}, \
	{prefix count "{idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT}, \
	{prefix count "{state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT}, \
	{prefix count "{db.client.connection.state=idle}", PGPS_CHECKED_IN, PGPS_UNIT_COUNT}, \
	{prefix "max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT}, \
	{prefix "idle.min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT}, \
	{prefix "pending_requests", PGPS_WAITING, PGPS_UNIT_COUNT}, \
	{prefix "timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT}, \
	{prefix "wait_time.count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT}, \
	{prefix "wait_time.sum", PGPS_ACQUIRE_TIME, time_unit}, \
	{prefix "use_time.sum", PGPS_TOTAL_USE_TIME, time_unit}

#define OTEL_IGNORED(prefix) \
	prefix "idle.max", prefix "create_time", \
	prefix "wait_time.min", prefix "wait_time.max", \
	prefix "wait_time.buckets", prefix "use_time.count", \
	prefix "use_time.min", prefix "use_time.max", prefix "use_time.buckets"

const PgpsDialect pgps_otel = {
	.name = "otel",
	.with_library = true,
	.detected_by = {"db.client.connection*"},
	.keys = (const PgpsDialectKey[]) {
		OTEL_KEYS("db.client.connection.", "count", PGPS_UNIT_S),
		/* Npgsql's own */
		{"db.client.connection.npgsql.pending_requests", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"db.client.connection.npgsql.timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		OTEL_KEYS("db.client.connections.", "usage", PGPS_UNIT_MS),
		{NULL}
	},
	.ignored = PGPS_WORDS(OTEL_IGNORED("db.client.connection."),
						  OTEL_IGNORED("db.client.connections."),
						  "db.client.connection.npgsql.create_time",
						  "db.client.connection.pool.name"),
};
