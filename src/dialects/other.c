/*-------------------------------------------------------------------------
 *
 * other.c
 *	  Pools of Rust, Ruby, Elixir and PHP.
 *
 * See list.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "dialects/list.h"

static void settle_bb8(PgpsFigures *fig);

/*
 * deadpool: Status.  available is negative while callers wait.
 */
const PgpsDialect pgps_deadpool = {
	.name = "deadpool",
	.with_library = true,
	.detected_by = {"max_size", "size", "available"},
	.keys = (const PgpsDialectKey[]) {
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
		{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{NULL}
	},
};

/*
 * bb8: State, with its statistics inside or beside.  Who waits now follows
 * from its counters, as far as these tell.
 */
const PgpsDialect pgps_bb8 = {
	.name = "bb8",
	.with_library = true,
	.detected_by = {
		"connections",
		"idle_connections",
		"statistics|get_started"
	},
	.keys = (const PgpsDialectKey[]) {
		{"connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"min_idle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"get_started", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"get_started", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_ADD},
		{"get_direct", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
		{"get_waited", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"get_waited", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
		{"get_timed_out", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"get_timed_out", PGPS_WAITING, PGPS_UNIT_COUNT, PGPS_SUBTRACT},
		{"get_wait_time", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_US},
		{NULL}
	},
	.ignored = PGPS_WORDS("connections_created", "connections_closed_broken",
						  "connections_closed_invalid",
						  "connections_closed_max_lifetime",
						  "connections_closed_idle_timeout"),
	.nested = true,
	.counts_requests = true,
	.settle = settle_bb8,
};

/*
 * A get that is cancelled, as by a caller who goes away, stays counted as
 * started, and would wait for ever.  Nobody waits while a connection is idle.
 */
static void
settle_bb8(PgpsFigures *fig)
{
	if (fig->known & PGPS_BIT(PGPS_WAITING) &&
		fig->known & PGPS_BIT(PGPS_CHECKED_IN) && fig->value[PGPS_CHECKED_IN] > 0)
		fig->value[PGPS_WAITING] = 0;
}

/*
 * r2d2: State
 */
const PgpsDialect pgps_r2d2 = {
	.name = "r2d2",
	.with_library = true,
	.detected_by = {"connections", "idle_connections"},
	.keys = (const PgpsDialectKey[]) {
		{"connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"min_idle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
};

/*
 * sqlx: size(), num_idle() and options
 */
const PgpsDialect pgps_sqlx = {
	.name = "sqlx",
	.with_library = true,
	.detected_by = {"size", "num_idle"},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"num_idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"max_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"min_connections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("is_closed"),
};

/*
 * ActiveRecord: ConnectionPool#stat.  size is the cap; busy leaves out what
 * dead threads hold.
 */
const PgpsDialect pgps_activerecord = {
	.name = "activerecord",
	.with_library = true,
	.detected_by = {"connections", "busy", "dead"},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED | PGPS_NULL_UNLIMITED},
		{"connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"busy", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"dead", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("checkout_timeout", "min_connections",
						  "max_connections"),
};

/*
 * Sequel, by hand: size is what is open
 */
const PgpsDialect pgps_sequel = {
	.name = "sequel",
	.with_library = true,
	.detected_by = {"size", "max_size"},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"num_waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{NULL}
	},
};

/*
 * Ecto: DBConnection.get_connection_metrics(); pool_size is added by hand,
 * and the pool opens all of it.
 */
const PgpsDialect pgps_db_connection = {
	.name = "db_connection",
	.detected_by = {"ready_conn_count", "checkout_queue_length"},
	.keys = (const PgpsDialectKey[]) {
		{"ready_conn_count", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"checkout_queue_length", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"pool_size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("source"),
};

/*
 * fpm_get_status().  A worker without a request holds no lease, and perhaps
 * no connection: idle and total processes say nothing.
 */
const PgpsDialect pgps_php_fpm = {
	.name = "php_fpm",
	.detected_by = {"active_processes", "idle_processes"},
	.keys = (const PgpsDialectKey[]) {
		{"active processes", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"listen queue", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"max children", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"pm.max_children", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("pool", "process manager", "start time",
						  "start since", "accepted conn", "max listen queue",
						  "listen queue len", "idle processes",
						  "total processes", "max active processes",
						  "max children reached", "slow requests",
						  "memory peak", "processes", "procs"),
};
