/*-------------------------------------------------------------------------
 *
 * python.c
 *	  Pools of Python libraries.
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
 * psycopg 3: ConnectionPool.get_stats().  pool_size counts connections that
 * are still being opened, too; pool_max 0 is a NullConnectionPool without a
 * limit.
 */
const PgpsDialect pgps_psycopg_pool = {
	.name = "psycopg_pool",
	.with_library = true,
	.detected_by = {"pool_min", "pool_max", "pool_size", "pool_available"},
	.keys = (const PgpsDialectKey[]) {
		{"pool_min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"pool_max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"pool_size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"pool_available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"requests_waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"requests_num", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"requests_queued", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"requests_wait_ms", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_MS},
		{"requests_errors", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"usage_ms", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS},
		{"connections_num", PGPS_CREATES, PGPS_UNIT_COUNT},
		{"connections_errors", PGPS_CREATE_ERRORS, PGPS_UNIT_COUNT},
		{"connections_ms", PGPS_CREATE_TIME, PGPS_UNIT_MS},
		{"connections_lost", PGPS_DISCARDED, PGPS_UNIT_COUNT, PGPS_ADD},
		{"returns_bad", PGPS_DISCARDED, PGPS_UNIT_COUNT, PGPS_ADD},
		{NULL}
	},
	.absent_is_zero = true,
	.counts_requests = true,
};

/*
 * SQLAlchemy QueuePool: size(), checkedin(), checkedout(), overflow(),
 * _max_overflow and timeout() in a dict, or the text of status().
 * overflow() starts at -pool_size; size 0 and max_overflow -1 are no limit.
 * native has checked_in and checked_out, but no size.
 */
const PgpsDialect pgps_sqlalchemy = {
	.name = "sqlalchemy",
	.with_library = true,
	.detected_by = {
		"=checkedin|size",
		"=checkedout|size",
		"checkedin",
		"checkedout"
	},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"checkedin", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"checkedout", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"overflow", PGPS_OVERFLOW, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
		{"max_overflow", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{NULL}
	},
	.ignored = PGPS_WORDS("timeout", "recycle"),
};

/*
 * psycopg2.pool, by hand: minconn, maxconn, len(_pool), len(_used), _keys.
 */
const PgpsDialect pgps_psycopg2 = {
	.name = "psycopg2",
	.with_library = true,
	.detected_by = {"minconn", "maxconn"},
	.keys = (const PgpsDialectKey[]) {
		{"minconn", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"maxconn", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"used", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"keys", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("closed"),
};

/*
 * asyncpg, by hand: get_size(), get_idle_size(), get_min_size(),
 * get_max_size().
 */
const PgpsDialect pgps_asyncpg = {
	.name = "asyncpg",
	.with_library = true,
	.detected_by = {"size|get_size", "idle_size|get_idle_size"},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"get_size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idle_size", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"get_idle_size", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"min_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"get_min_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"get_max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
};

/*
 * DBUtils' PooledDB, by its attributes; _connections are those in use, and
 * _idle_cache is by hand len() of that list.
 */
const PgpsDialect pgps_dbutils = {
	.name = "dbutils",
	.detected_by = {"=_connections", "=_maxconnections"},
	.keys = (const PgpsDialectKey[]) {
		{"_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"_maxconnections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_ZERO_UNLIMITED},
		{"_idle_cache", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("_maxcached", "_maxshared", "_maxusage"),
};

/*
 * mysql.connector.pooling, by hand; _cnx_queue.qsize() is "idle".
 */
const PgpsDialect pgps_mysql_pool = {
	.name = "mysql_pool",
	.detected_by = {"pool_name", "pool_size"},
	.keys = (const PgpsDialectKey[]) {
		{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"used", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("pool_name", "pool_reset_session", "reset_session"),
	.elsewhere = true,
};

/*
 * MariaDB Connector/Python; its max_size is what pool_size could be set to.
 */
const PgpsDialect pgps_mariadb_pool = {
	.name = "mariadb_pool",
	.detected_by = {"connection_count", "max_size"},
	.keys = (const PgpsDialectKey[]) {
		{"pool_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"connection_count", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"used", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("pool_name", "max_size", "pool_reset_connection",
						  "pool_validation_interval"),
	.elsewhere = true,
};
