/*-------------------------------------------------------------------------
 *
 * go.c
 *	  Pools of Go libraries.  Their durations are nanoseconds.
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
 * pgxpool.Stat(), by hand.  EmptyAcquireWaitTime is new in 5.7; before,
 * there is only the time of all acquires.
 */
const PgpsDialect pgps_pgxpool = {
	.name = "pgxpool",
	.with_library = true,
	.detected_by = {"acquire_count", "total_conns"},
	.keys = (const PgpsDialectKey[]) {
		{"AcquireCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"AcquireDuration", PGPS_ACQUIRE_TIME, PGPS_UNIT_NS},
		{"AcquiredConns", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"CanceledAcquireCount", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"EmptyAcquireCount", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"EmptyAcquireWaitTime", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_NS},
		{"IdleConns", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"MaxLifetimeDestroyCount", PGPS_LIFETIME_CLOSED, PGPS_UNIT_COUNT},
		{"MaxConns", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"MinConns", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"TotalConns", PGPS_OPEN, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("ConstructingConns", "NewConnsCount",
						  "MaxIdleDestroyCount", "MinIdleConns"),
};

/*
 * database/sql: DBStats, or what client_golang's collector makes of it
 */
const PgpsDialect pgps_database_sql = {
	.name = "database_sql",
	.with_library = true,
	.detected_by = {
		"max_open_connections|go_sql_max_open_connections",
		"open_connections|go_sql_open_connections",
		"in_use|go_sql_in_use_connections"
	},
	.keys = (const PgpsDialectKey[]) {
		{"MaxOpenConnections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"OpenConnections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"InUse", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"Idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"WaitCount", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"WaitDuration", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_NS},
		{"MaxIdleClosed", PGPS_IDLE_CLOSED, PGPS_UNIT_COUNT},
		{"MaxLifetimeClosed", PGPS_LIFETIME_CLOSED, PGPS_UNIT_COUNT},
		{"go_sql_max_open_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"go_sql_open_connections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"go_sql_in_use_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"go_sql_idle_connections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"go_sql_wait_count_total", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"go_sql_wait_duration_seconds_total", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_S},
		{"go_sql_max_idle_closed_total", PGPS_IDLE_CLOSED, PGPS_UNIT_COUNT},
		{"go_sql_max_lifetime_closed_total", PGPS_LIFETIME_CLOSED, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("MaxIdleTimeClosed",
						  "go_sql_max_idle_time_closed_total"),
};
