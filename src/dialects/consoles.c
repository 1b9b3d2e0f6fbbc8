/*-------------------------------------------------------------------------
 *
 * consoles.c
 *	  What the consoles of external poolers answer.
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
 * PgDog: SHOW POOLS, a row for each server of a database and user.  sv_active
 * are all that are lent, sv_idle_xact some of these.
 */
const PgpsDialect pgps_pgdog_pools = {
	.name = "pgdog_pools",
	.detected_by = {"cl_waiting", "sv_idle_xact"},
	.keys = (const PgpsDialectKey[]) {
		{"cl_waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"sv_active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"sv_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"sv_total", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"maxwait", PGPS_MAX_WAIT, PGPS_UNIT_S, PGPS_ADD},
		{"maxwait_us", PGPS_MAX_WAIT, PGPS_UNIT_US, PGPS_ADD},
		{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("id", "database", "user", "addr", "port", "shard",
						  "role", "sv_idle_xact", "pool_mode", "paused",
						  "banned", "healthy", "errors", "re_synced",
						  "out_of_sync", "force_closed", "online",
						  "schema_admin", "cancels_in_flight"),
	.elsewhere = true,
	.row_keys = {"database", "user", "shard", "role", "addr", "port"},
};

/*
 * PgBouncer, pgcat, Odyssey: SHOW POOLS, a row for each database and user.
 * sv_used are idle connections that are due for a check.  The console itself
 * has a row, too.
 */
const PgpsDialect pgps_pgbouncer_pools = {
	.name = "pgbouncer_pools",
	.with_library = true,
	.detected_by = {"cl_waiting", "sv_active", "sv_idle"},
	.keys = (const PgpsDialectKey[]) {
		{"cl_waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"cl_waiting", PGPS_CLIENTS, PGPS_UNIT_COUNT, PGPS_ADD},
		{"cl_active", PGPS_CLIENTS, PGPS_UNIT_COUNT, PGPS_ADD},
		{"cl_idle", PGPS_CLIENTS, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_active", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_idle", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_used", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_used", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_tested", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_login", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_active_cancel", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"sv_being_canceled", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"maxwait", PGPS_MAX_WAIT, PGPS_UNIT_S, PGPS_ADD},
		{"maxwait_us", PGPS_MAX_WAIT, PGPS_UNIT_US, PGPS_ADD},
		{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"reserve_pool", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT},
		{"reserve_pool_size", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT},
		{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("database", "user", "pool_mode",
						  "load_balance_hosts", "cl_cancel_req",
						  "cl_active_cancel_req", "cl_waiting_cancel_req",
						  "bytes_received", "bytes_sent", "tcp_conn_count"),
	.elsewhere = true,
	.row_keys = {"database", "user"},
	.not_a_pool = "pgbouncer",
};

/* columns of SHOW STATS that all of them have or had */
#define STATS_IGNORED \
	"total_received", "total_sent", "total_query_time", \
	"total_client_parse_count", "total_server_parse_count", \
	"total_bind_count", "total_client_login_count", "total_parse_count", \
	"total_parse_count_reuse", "total_cancel_count", "avg_xact_count", \
	"avg_query_count", "avg_recv", "avg_sent", "avg_xact_time", \
	"avg_query_time", "avg_wait_time", "avg_server_assignment_count", \
	"avg_client_parse_count", "avg_server_parse_count", "avg_bind_count", \
	"avg_client_login_count"

/*
 * PgDog: SHOW STATS, in milliseconds
 */
const PgpsDialect pgps_pgdog_stats = {
	.name = "pgdog_stats",
	.detected_by = {
		"total_xact_count",
		"total_wait_time",
		"total_connect_count|shard"
	},
	.keys = (const PgpsDialectKey[]) {
		{"total_server_assignment_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_MS},
		{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS},
		{"total_errors", PGPS_ERRORS, PGPS_UNIT_COUNT},
		{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT},
		{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("id", "database", "user", "addr", "port", "shard",
						  "role", "total_xact_2pc_count", "total_connect_time",
						  "total_connect_count", "total_idle_xact_time",
						  "total_reads", "total_writes", "total_close",
						  "total_prepared_sync", "total_cleaned",
						  "total_rollbacks", "avg_xact_2pc_count",
						  "avg_received", "avg_connect_time",
						  "avg_connect_count", "avg_errors",
						  "avg_idle_xact_time", "avg_reads", "avg_writes",
						  "avg_close", "avg_prepared_sync", "avg_cleaned",
						  "avg_rollbacks", STATS_IGNORED),
	.elsewhere = true,
	.row_keys = {"database", "user", "shard", "role", "addr", "port"},
};

/* pgcat: SHOW STATS, in microseconds; its column instance is our instance */
const PgpsDialect pgps_pgcat_stats = {
	.name = "pgcat_stats",
	.detected_by = {
		"total_xact_count",
		"total_wait_time",
		"instance",
		"total_errors"
	},
	.keys = (const PgpsDialectKey[]) {
		{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_US},
		{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_US},
		{"total_errors", PGPS_ERRORS, PGPS_UNIT_COUNT},
		{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT},
		{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("database", "user", "avg_errors", STATS_IGNORED),
	.elsewhere = true,
	.row_keys = {"database", "user"},
};

/*
 * PgBouncer, Odyssey: SHOW STATS, in microseconds.  avg_wait_time is a rate
 * up to 1.22 and a mean from 1.23.
 */
const PgpsDialect pgps_pgbouncer_stats = {
	.name = "pgbouncer_stats",
	.detected_by = {"total_xact_count", "total_wait_time"},
	.keys = (const PgpsDialectKey[]) {
		{"total_server_assignment_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"server_assignment", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_US},
		{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_US},
		{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT},
		{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("database", STATS_IGNORED),
	.elsewhere = true,
	.row_keys = {"database"},
	.not_a_pool = "pgbouncer",
};

/*
 * PgBouncer: SHOW DATABASES
 */
const PgpsDialect pgps_pgbouncer_databases = {
	.name = "pgbouncer_databases",
	.detected_by = {"pool_size", "current_connections", "force_user"},
	.keys = (const PgpsDialectKey[]) {
		{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"reserve_pool", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT},
		{"reserve_pool_size", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT},
		{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"current_connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("name", "port", "database", "force_user",
						  "pool_mode", "max_connections", "paused", "disabled",
						  "server_lifetime", "load_balance_hosts",
						  "max_client_connections",
						  "current_client_connections"),
	.elsewhere = true,
	.row_keys = {"name"},
	.not_a_pool = "pgbouncer",
};

/*
 * PgBouncer: SHOW LISTS, as rows of list and items; PgDog: as columns
 */
const PgpsDialect pgps_pgbouncer_lists = {
	.name = "pgbouncer_lists",
	.detected_by = {"free_servers", "used_servers"},
	.keys = (const PgpsDialectKey[]) {
		{"free_servers", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"used_servers", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("databases", "users", "pools", "free_clients",
						  "used_clients", "login_clients", "dns_names",
						  "dns_zones", "dns_queries", "dns_pending", "peers",
						  "peer_pools"),
	.elsewhere = true,
};

/*
 * Pgpool-II: SHOW POOL_POOLS, all values text; pgpool2.c makes one pool of
 * its rows.
 */
const PgpsDialect pgps_pgpool2_pools = {
	.name = "pgpool2_pools",
	.detected_by = {"pool_pid", "pool_backendpid"},
	.keys = (const PgpsDialectKey[]) {
		{"pool_pid", PGPS_CHILD, PGPS_UNIT_COUNT},
		{"pool_id", PGPS_SLOT, PGPS_UNIT_COUNT},
		{"pool_backendpid", PGPS_BACKEND, PGPS_UNIT_COUNT},
		{"pool_connected", PGPS_CONNECTED, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("start_time", "backend_id", "database", "username",
						  "create_time", "majorversion", "minorversion",
						  "pool_counter", "client_connection_count",
						  "backend_connection_time", "client_connection_time",
						  "client_disconnection_time", "client_idle_duration",
						  "status", "load_balance_node", "client_host",
						  "client_port", "statement"),
	.elsewhere = true,
	.combine = pgps_combine_pgpool2,
};
