/*-------------------------------------------------------------------------
 *
 * consoles.c
 *	  External poolers.
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
 * PgDog: SHOW POOLS.  A server idle in a transaction is lent.
 */
static const PgpsDialectKey pgdog_pools_keys[] = {
	{"cl_waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"sv_active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
	{"sv_idle_xact", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
	{"sv_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"sv_total", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"maxwait", PGPS_MAX_WAIT, PGPS_UNIT_S, PGPS_ADD},
	{"maxwait_us", PGPS_MAX_WAIT, PGPS_UNIT_US, PGPS_ADD},
	{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"id", 0, PGPS_UNIT_NONE, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"user", 0, PGPS_UNIT_NONE, 0},
	{"addr", 0, PGPS_UNIT_NONE, 0},
	{"port", 0, PGPS_UNIT_NONE, 0},
	{"shard", 0, PGPS_UNIT_NONE, 0},
	{"role", 0, PGPS_UNIT_NONE, 0},
	{"pool_mode", 0, PGPS_UNIT_NONE, 0},
	{"paused", 0, PGPS_UNIT_NONE, 0},
	{"banned", 0, PGPS_UNIT_NONE, 0},
	{"healthy", 0, PGPS_UNIT_NONE, 0},
	{"errors", 0, PGPS_UNIT_NONE, 0},
	{"re_synced", 0, PGPS_UNIT_NONE, 0},
	{"out_of_sync", 0, PGPS_UNIT_NONE, 0},
	{"force_closed", 0, PGPS_UNIT_NONE, 0},
	{"online", 0, PGPS_UNIT_NONE, 0},
	{"schema_admin", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgdog_pools = {
	.name = "pgdog_pools",
	.detected_by = {"cl_waiting", "sv_idle_xact"},
	.keys = pgdog_pools_keys,
	.elsewhere = true,
	.row_keys = {"database", "user", "shard", "role", "addr", "port"},
};

/*
 * PgBouncer, pgcat, Odyssey: SHOW POOLS, a row for each database and user.
 * sv_used is idle and due for a check.  Its console is a row, too.
 */
static const PgpsDialectKey pgbouncer_pools_keys[] = {
	{"cl_waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
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
	{"reserve_pool", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, 0},
	{"reserve_pool_size", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, 0},
	{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"user", 0, PGPS_UNIT_NONE, 0},
	{"pool_mode", 0, PGPS_UNIT_NONE, 0},
	{"load_balance_hosts", 0, PGPS_UNIT_NONE, 0},
	{"cl_cancel_req", 0, PGPS_UNIT_NONE, 0},
	{"cl_active_cancel_req", 0, PGPS_UNIT_NONE, 0},
	{"cl_waiting_cancel_req", 0, PGPS_UNIT_NONE, 0},
	{"bytes_received", 0, PGPS_UNIT_NONE, 0},
	{"bytes_sent", 0, PGPS_UNIT_NONE, 0},
	{"tcp_conn_count", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgbouncer_pools = {
	.name = "pgbouncer_pools",
	.detected_by = {"cl_waiting", "sv_active", "sv_idle"},
	.keys = pgbouncer_pools_keys,
	.elsewhere = true,
	.row_keys = {"database", "user"},
	.not_a_pool = "pgbouncer",
};

/*
 * PgDog: SHOW STATS, in milliseconds
 */
static const PgpsDialectKey pgdog_stats_keys[] = {
	{"total_server_assignment_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_MS, 0},
	{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS, 0},
	{"total_errors", PGPS_ERRORS, PGPS_UNIT_COUNT, 0},
	{"id", 0, PGPS_UNIT_NONE, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"user", 0, PGPS_UNIT_NONE, 0},
	{"addr", 0, PGPS_UNIT_NONE, 0},
	{"port", 0, PGPS_UNIT_NONE, 0},
	{"shard", 0, PGPS_UNIT_NONE, 0},
	{"role", 0, PGPS_UNIT_NONE, 0},
	{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT, 0},
	{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT, 0},
	{"total_received", 0, PGPS_UNIT_NONE, 0},
	{"total_sent", 0, PGPS_UNIT_NONE, 0},
	{"total_query_time", 0, PGPS_UNIT_NONE, 0},
	{"total_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"total_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count_reuse", 0, PGPS_UNIT_NONE, 0},
	{"total_cancel_count", 0, PGPS_UNIT_NONE, 0},
	{"total_xact_2pc_count", 0, PGPS_UNIT_NONE, 0},
	{"total_connect_time", 0, PGPS_UNIT_NONE, 0},
	{"total_connect_count", 0, PGPS_UNIT_NONE, 0},
	{"total_idle_xact_time", 0, PGPS_UNIT_NONE, 0},
	{"total_reads", 0, PGPS_UNIT_NONE, 0},
	{"total_writes", 0, PGPS_UNIT_NONE, 0},
	{"total_close", 0, PGPS_UNIT_NONE, 0},
	{"total_prepared_sync", 0, PGPS_UNIT_NONE, 0},
	{"total_cleaned", 0, PGPS_UNIT_NONE, 0},
	{"total_rollbacks", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_recv", 0, PGPS_UNIT_NONE, 0},
	{"avg_sent", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_wait_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_assignment_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_2pc_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_received", 0, PGPS_UNIT_NONE, 0},
	{"avg_connect_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_connect_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_errors", 0, PGPS_UNIT_NONE, 0},
	{"avg_idle_xact_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_reads", 0, PGPS_UNIT_NONE, 0},
	{"avg_writes", 0, PGPS_UNIT_NONE, 0},
	{"avg_close", 0, PGPS_UNIT_NONE, 0},
	{"avg_prepared_sync", 0, PGPS_UNIT_NONE, 0},
	{"avg_cleaned", 0, PGPS_UNIT_NONE, 0},
	{"avg_rollbacks", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgdog_stats = {
	.name = "pgdog_stats",
	.detected_by = {
		"total_xact_count",
		"total_wait_time",
		"total_connect_count|shard"
	},
	.keys = pgdog_stats_keys,
	.elsewhere = true,
	.row_keys = {"database", "user", "shard", "role", "addr", "port"},
};

/*
 * pgcat: SHOW STATS, in microseconds; its instance is our instance
 */
static const PgpsDialectKey pgcat_stats_keys[] = {
	{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_US, 0},
	{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_US, 0},
	{"total_errors", PGPS_ERRORS, PGPS_UNIT_COUNT, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"user", 0, PGPS_UNIT_NONE, 0},
	{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT, 0},
	{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT, 0},
	{"total_received", 0, PGPS_UNIT_NONE, 0},
	{"total_sent", 0, PGPS_UNIT_NONE, 0},
	{"total_query_time", 0, PGPS_UNIT_NONE, 0},
	{"total_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"total_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count_reuse", 0, PGPS_UNIT_NONE, 0},
	{"total_cancel_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_recv", 0, PGPS_UNIT_NONE, 0},
	{"avg_sent", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_wait_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_assignment_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_errors", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgcat_stats = {
	.name = "pgcat_stats",
	.detected_by = {
		"total_xact_count",
		"total_wait_time",
		"instance",
		"total_errors"
	},
	.keys = pgcat_stats_keys,
	.elsewhere = true,
	.row_keys = {"database", "user"},
};

/*
 * PgBouncer, Odyssey: SHOW STATS, in microseconds.  avg_wait_time is a rate
 * up to 1.22 and a mean from 1.23.
 */
static const PgpsDialectKey pgbouncer_stats_keys[] = {
	{"total_server_assignment_count", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"server_assignment", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"total_wait_time", PGPS_ACQUIRE_TIME, PGPS_UNIT_US, 0},
	{"total_xact_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_US, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"total_xact_count", PGPS_XACTS, PGPS_UNIT_COUNT, 0},
	{"total_query_count", PGPS_QUERIES, PGPS_UNIT_COUNT, 0},
	{"total_received", 0, PGPS_UNIT_NONE, 0},
	{"total_sent", 0, PGPS_UNIT_NONE, 0},
	{"total_query_time", 0, PGPS_UNIT_NONE, 0},
	{"total_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"total_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"total_parse_count_reuse", 0, PGPS_UNIT_NONE, 0},
	{"total_cancel_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_recv", 0, PGPS_UNIT_NONE, 0},
	{"avg_sent", 0, PGPS_UNIT_NONE, 0},
	{"avg_xact_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_query_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_wait_time", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_assignment_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_server_parse_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_bind_count", 0, PGPS_UNIT_NONE, 0},
	{"avg_client_login_count", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgbouncer_stats = {
	.name = "pgbouncer_stats",
	.detected_by = {"total_xact_count", "total_wait_time"},
	.keys = pgbouncer_stats_keys,
	.elsewhere = true,
	.row_keys = {"database"},
	.not_a_pool = "pgbouncer",
};

/*
 * PgBouncer: SHOW DATABASES
 */
static const PgpsDialectKey pgbouncer_databases_keys[] = {
	{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"reserve_pool", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, 0},
	{"reserve_pool_size", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, 0},
	{"min_pool_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"current_connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"name", 0, PGPS_UNIT_NONE, 0},
	{"port", 0, PGPS_UNIT_NONE, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"force_user", 0, PGPS_UNIT_NONE, 0},
	{"pool_mode", 0, PGPS_UNIT_NONE, 0},
	{"max_connections", 0, PGPS_UNIT_NONE, 0},
	{"paused", 0, PGPS_UNIT_NONE, 0},
	{"disabled", 0, PGPS_UNIT_NONE, 0},
	{"server_lifetime", 0, PGPS_UNIT_NONE, 0},
	{"load_balance_hosts", 0, PGPS_UNIT_NONE, 0},
	{"max_client_connections", 0, PGPS_UNIT_NONE, 0},
	{"current_client_connections", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgbouncer_databases = {
	.name = "pgbouncer_databases",
	.detected_by = {"pool_size", "current_connections", "force_user"},
	.keys = pgbouncer_databases_keys,
	.elsewhere = true,
	.row_keys = {"name"},
	.not_a_pool = "pgbouncer",
};

/*
 * PgBouncer: SHOW LISTS, as rows of list and items; PgDog: as columns
 */
static const PgpsDialectKey pgbouncer_lists_keys[] = {
	{"free_servers", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"used_servers", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"databases", 0, PGPS_UNIT_NONE, 0},
	{"users", 0, PGPS_UNIT_NONE, 0},
	{"pools", 0, PGPS_UNIT_NONE, 0},
	{"free_clients", 0, PGPS_UNIT_NONE, 0},
	{"used_clients", 0, PGPS_UNIT_NONE, 0},
	{"login_clients", 0, PGPS_UNIT_NONE, 0},
	{"dns_names", 0, PGPS_UNIT_NONE, 0},
	{"dns_zones", 0, PGPS_UNIT_NONE, 0},
	{"dns_queries", 0, PGPS_UNIT_NONE, 0},
	{"dns_pending", 0, PGPS_UNIT_NONE, 0},
	{"peers", 0, PGPS_UNIT_NONE, 0},
	{"peer_pools", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgbouncer_lists = {
	.name = "pgbouncer_lists",
	.detected_by = {"free_servers", "used_servers"},
	.keys = pgbouncer_lists_keys,
	.elsewhere = true,
};

/*
 * Pgpool-II: SHOW POOL_POOLS, all values text; pgpool2.c makes one pool of
 * its rows.
 */
static const PgpsDialectKey pgpool2_pools_keys[] = {
	{"pool_pid", PGPS_CHILD, PGPS_UNIT_COUNT, 0},
	{"pool_id", PGPS_SLOT, PGPS_UNIT_COUNT, 0},
	{"pool_backendpid", PGPS_BACKEND, PGPS_UNIT_COUNT, 0},
	{"pool_connected", PGPS_CONNECTED, PGPS_UNIT_COUNT, 0},
	{"start_time", 0, PGPS_UNIT_NONE, 0},
	{"backend_id", 0, PGPS_UNIT_NONE, 0},
	{"database", 0, PGPS_UNIT_NONE, 0},
	{"username", 0, PGPS_UNIT_NONE, 0},
	{"create_time", 0, PGPS_UNIT_NONE, 0},
	{"majorversion", 0, PGPS_UNIT_NONE, 0},
	{"minorversion", 0, PGPS_UNIT_NONE, 0},
	{"pool_counter", 0, PGPS_UNIT_NONE, 0},
	{"client_connection_count", 0, PGPS_UNIT_NONE, 0},
	{"backend_connection_time", 0, PGPS_UNIT_NONE, 0},
	{"client_connection_time", 0, PGPS_UNIT_NONE, 0},
	{"client_disconnection_time", 0, PGPS_UNIT_NONE, 0},
	{"client_idle_duration", 0, PGPS_UNIT_NONE, 0},
	{"status", 0, PGPS_UNIT_NONE, 0},
	{"load_balance_node", 0, PGPS_UNIT_NONE, 0},
	{"client_host", 0, PGPS_UNIT_NONE, 0},
	{"client_port", 0, PGPS_UNIT_NONE, 0},
	{"statement", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgpool2_pools = {
	.name = "pgpool2_pools",
	.detected_by = {"pool_pid", "pool_backendpid"},
	.keys = pgpool2_pools_keys,
	.elsewhere = true,
	.combine = pgps_combine_pgpool2,
};
