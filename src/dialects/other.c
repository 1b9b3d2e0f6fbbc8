/*-------------------------------------------------------------------------
 *
 * other.c
 *	  Pools of Rust, Ruby, Elixir and PHP.
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
 * deadpool: Status.  available is negative while callers wait.
 */
static const PgpsDialectKey deadpool_keys[] = {
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
	{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{NULL}
};

const PgpsDialect pgps_deadpool = {
	.name = "deadpool",
	.detected_by = {"max_size", "size", "available"},
	.keys = deadpool_keys,
};

/*
 * bb8: State, with its statistics inside or beside.  Who waits now follows
 * from its counters.
 */
static const PgpsDialectKey bb8_keys[] = {
	{"connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"min_idle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"get_started", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"get_started", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_ADD},
	{"get_direct", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
	{"get_waited", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"get_waited", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
	{"get_timed_out", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"get_timed_out", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
	{"get_wait_time", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_US, 0},
	{"connections_created", 0, PGPS_UNIT_NONE, 0},
	{"connections_closed_broken", 0, PGPS_UNIT_NONE, 0},
	{"connections_closed_invalid", 0, PGPS_UNIT_NONE, 0},
	{"connections_closed_max_lifetime", 0, PGPS_UNIT_NONE, 0},
	{"connections_closed_idle_timeout", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_bb8 = {
	.name = "bb8",
	.detected_by = {
		"connections",
		"idle_connections",
		"statistics|get_started"
	},
	.keys = bb8_keys,
	.nested = true,
};

/*
 * r2d2: State
 */
static const PgpsDialectKey r2d2_keys[] = {
	{"connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"min_idle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{NULL}
};

const PgpsDialect pgps_r2d2 = {
	.name = "r2d2",
	.detected_by = {"connections", "idle_connections"},
	.keys = r2d2_keys,
};

/*
 * sqlx: size(), num_idle() and options
 */
static const PgpsDialectKey sqlx_keys[] = {
	{"size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"num_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"max_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"min_connections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"is_closed", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_sqlx = {
	.name = "sqlx",
	.detected_by = {"size", "num_idle"},
	.keys = sqlx_keys,
};

/*
 * ActiveRecord: ConnectionPool#stat.  size is the cap; busy leaves out what
 * dead threads hold.
 */
static const PgpsDialectKey activerecord_keys[] = {
	{"size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED | PGPS_NULL_UNLIMITED},
	{"connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"busy", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
	{"dead", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
	{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"checkout_timeout", 0, PGPS_UNIT_NONE, 0},
	{"min_connections", 0, PGPS_UNIT_NONE, 0},
	{"max_connections", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_activerecord = {
	.name = "activerecord",
	.detected_by = {"connections", "busy", "dead"},
	.keys = activerecord_keys,
};

/*
 * Sequel, by hand: size is what is open
 */
static const PgpsDialectKey sequel_keys[] = {
	{"size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"num_waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{NULL}
};

const PgpsDialect pgps_sequel = {
	.name = "sequel",
	.detected_by = {"size", "max_size"},
	.keys = sequel_keys,
};

/*
 * Ecto: DBConnection.get_connection_metrics(); pool_size is added by hand,
 * and the pool opens all of it.
 */
static const PgpsDialectKey db_connection_keys[] = {
	{"ready_conn_count", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"checkout_queue_length", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"pool_size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"source", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_db_connection = {
	.name = "db_connection",
	.detected_by = {"ready_conn_count", "checkout_queue_length"},
	.keys = db_connection_keys,
};

/*
 * fpm_get_status().  A worker without a request holds no lease, and perhaps
 * no connection: idle and total processes say nothing.
 */
static const PgpsDialectKey php_fpm_keys[] = {
	{"active processes", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"listen queue", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"max children", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"pm.max_children", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"pool", 0, PGPS_UNIT_NONE, 0},
	{"process manager", 0, PGPS_UNIT_NONE, 0},
	{"start time", 0, PGPS_UNIT_NONE, 0},
	{"start since", 0, PGPS_UNIT_NONE, 0},
	{"accepted conn", 0, PGPS_UNIT_NONE, 0},
	{"max listen queue", 0, PGPS_UNIT_NONE, 0},
	{"listen queue len", 0, PGPS_UNIT_NONE, 0},
	{"idle processes", 0, PGPS_UNIT_NONE, 0},
	{"total processes", 0, PGPS_UNIT_NONE, 0},
	{"max active processes", 0, PGPS_UNIT_NONE, 0},
	{"max children reached", 0, PGPS_UNIT_NONE, 0},
	{"slow requests", 0, PGPS_UNIT_NONE, 0},
	{"memory peak", 0, PGPS_UNIT_NONE, 0},
	{"processes", 0, PGPS_UNIT_NONE, 0},
	{"procs", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_php_fpm = {
	.name = "php_fpm",
	.detected_by = {"active_processes", "idle_processes"},
	.keys = php_fpm_keys,
};
