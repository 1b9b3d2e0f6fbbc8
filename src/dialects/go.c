/*-------------------------------------------------------------------------
 *
 * go.c
 *	  Pools of Go libraries.  Their durations are nanoseconds.
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
 * pgxpool.Stat(), by hand.  EmptyAcquireWaitTime is new in 5.7; before,
 * there is only the time of all acquires.
 */
static const PgpsDialectKey pgxpool_keys[] = {
	{"AcquireCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"AcquireDuration", PGPS_ACQUIRE_TIME, PGPS_UNIT_NS, 0},
	{"AcquiredConns", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"CanceledAcquireCount", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"EmptyAcquireCount", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"EmptyAcquireWaitTime", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_NS, 0},
	{"IdleConns", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"MaxConns", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"MinConns", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"TotalConns", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"ConstructingConns", 0, PGPS_UNIT_NONE, 0},
	{"NewConnsCount", 0, PGPS_UNIT_NONE, 0},
	{"MaxLifetimeDestroyCount", 0, PGPS_UNIT_NONE, 0},
	{"MaxIdleDestroyCount", 0, PGPS_UNIT_NONE, 0},
	{"MinIdleConns", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_pgxpool = {
	.name = "pgxpool",
	.detected_by = {"acquire_count", "total_conns"},
	.keys = pgxpool_keys,
};

/*
 * database/sql: DBStats, or what client_golang's collector makes of it
 */
static const PgpsDialectKey database_sql_keys[] = {
	{"MaxOpenConnections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"OpenConnections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"InUse", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"Idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"WaitCount", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"WaitDuration", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_NS, 0},
	{"MaxIdleClosed", 0, PGPS_UNIT_NONE, 0},
	{"MaxIdleTimeClosed", 0, PGPS_UNIT_NONE, 0},
	{"MaxLifetimeClosed", 0, PGPS_UNIT_NONE, 0},
	{"go_sql_max_open_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"go_sql_open_connections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"go_sql_in_use_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"go_sql_idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"go_sql_wait_count_total", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"go_sql_wait_duration_seconds_total", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_S, 0},
	{"go_sql_max_idle_closed_total", 0, PGPS_UNIT_NONE, 0},
	{"go_sql_max_idle_time_closed_total", 0, PGPS_UNIT_NONE, 0},
	{"go_sql_max_lifetime_closed_total", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_database_sql = {
	.name = "database_sql",
	.detected_by = {
		"max_open_connections|go_sql_max_open_connections",
		"open_connections|go_sql_open_connections",
		"in_use|go_sql_in_use_connections"
	},
	.keys = database_sql_keys,
};
