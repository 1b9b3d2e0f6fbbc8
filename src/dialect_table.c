/*-------------------------------------------------------------------------
 *
 * dialect_table.c
 *	  The words of each pool library.  Data only: a new dialect is new rows.
 *
 * Keys are written as the library writes them and compared without case and
 * punctuation, so that AcquireCount, acquire_count and "acquire count" are
 * one key.  The first dialect whose detected_by keys are all there is taken;
 * when none is, the one that knows most of the keys.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialect.h"

/*
 * psycopg 3: ConnectionPool.get_stats().  pool_size counts connections that
 * are still being opened, too; pool_max 0 is a NullConnectionPool without a
 * limit.
 */
static const PgpsDialectKey psycopg_pool_keys[] = {
	{"pool_min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"pool_max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"pool_size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"pool_available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"requests_waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"requests_num", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"requests_queued", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"requests_wait_ms", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_MS, 0},
	{"requests_errors", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"usage_ms", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS, 0},
	{"connections_num", PGPS_CREATES, PGPS_UNIT_COUNT, 0},
	{"connections_errors", PGPS_CREATE_ERRORS, PGPS_UNIT_COUNT, 0},
	{"connections_ms", 0, PGPS_UNIT_NONE, 0},
	{"connections_lost", 0, PGPS_UNIT_NONE, 0},
	{"returns_bad", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

/*
 * SQLAlchemy QueuePool: size(), checkedin(), checkedout(), overflow(),
 * _max_overflow and timeout() in a dict, or the text of status().
 * overflow() starts at -pool_size; size 0 and max_overflow -1 are no limit.
 */
static const PgpsDialectKey sqlalchemy_keys[] = {
	{"size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
	{"checkedin", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"checkedout", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"overflow", PGPS_OVERFLOW, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
	{"max_overflow", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
	{"timeout", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

/*
 * psycopg2.pool, by hand: minconn, maxconn, len(_pool), len(_used), _keys.
 */
static const PgpsDialectKey psycopg2_keys[] = {
	{"minconn", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"maxconn", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"used", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"keys", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"closed", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

/*
 * Our own words: the column names of the views, times in milliseconds.
 */
static const PgpsDialectKey native_keys[] = {
	{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, 0},
	{"max_overflow", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
	{"min_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"unlimited", PGPS_UNLIMITED, PGPS_UNIT_BOOL, 0},
	{"open", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"checked_out", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"checked_in", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"overflow", PGPS_OVERFLOW, PGPS_UNIT_COUNT, 0},
	{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"max_wait", PGPS_MAX_WAIT, PGPS_UNIT_MS, 0},
	{"checkouts", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"waits", PGPS_WAITS, PGPS_UNIT_COUNT, 0},
	{"total_wait_time", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_MS, 0},
	{"timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"errors", PGPS_ERRORS, PGPS_UNIT_COUNT, 0},
	{"total_use_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS, 0},
	{NULL}
};

const PgpsDialect pgps_dialects[] = {
	{
		.name = "psycopg_pool",
		.detected_by = {"pool_min", "pool_max", "pool_size", "pool_available"},
		.keys = psycopg_pool_keys,
		.absent_is_zero = true,
		.waits_divide = true,
	},
	{
		.name = "sqlalchemy",
		.detected_by = {"checkedin", "checkedout"},
		.exact = true,			/* native has checked_in and checked_out */
		.keys = sqlalchemy_keys,
	},
	{
		.name = "sqlalchemy",
		.detected_by = {"size", "checkedin", "checkedout"},
		.keys = sqlalchemy_keys,
	},
	{
		.name = "psycopg2",
		.detected_by = {"minconn", "maxconn"},
		.keys = psycopg2_keys,
	},
	{
		.name = "native",
		.keys = native_keys,
		.waits_divide = true,
	},
	{.name = NULL}
};
