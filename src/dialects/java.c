/*-------------------------------------------------------------------------
 *
 * java.c
 *	  Pools of Java libraries.
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
 * MariaDB Connector/J: as Hikari, and connectionRequests
 */
const PgpsDialect pgps_mariadb_j = {
	.name = "mariadb_j",
	.detected_by = {
		"active_connections",
		"idle_connections",
		"total_connections",
		"connection_requests"
	},
	.keys = (const PgpsDialectKey[]) {
		{"activeConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"idleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"totalConnections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"connectionRequests", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maxPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minPoolSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("poolTag", "poolName", "maxIdleTime",
						  "staleConnections"),
	.elsewhere = true,
};

/*
 * HikariPoolMXBean, with or without HikariConfigMXBean
 */
const PgpsDialect pgps_hikaricp = {
	.name = "hikaricp",
	.with_library = true,
	.detected_by = {
		"active_connections|maximum_pool_size",
		"idle_connections|minimum_idle",
		"total_connections|maximum_pool_size"
	},
	.keys = (const PgpsDialectKey[]) {
		{"activeConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"idleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"totalConnections", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"threadsAwaitingConnection", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"pendingConnections", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maximumPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minimumIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"maxConnections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minConnections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("poolName", "catalog", "connectionTimeout",
						  "idleTimeout", "keepaliveTime",
						  "leakDetectionThreshold", "maxLifetime",
						  "validationTimeout", "username", "password",
						  "credentials"),
};

/*
 * Tomcat's JDBC pool: its waitCount is a gauge, and its borrowedCount leaves
 * out each checkout that opened a connection
 */
const PgpsDialect pgps_tomcat_jdbc = {
	.name = "tomcat_jdbc",
	.with_library = true,
	.detected_by = {"borrowed_count", "wait_count", "active|num_active"},
	.keys = (const PgpsDialectKey[]) {
		{"active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"numActive", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"numIdle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"waitCount", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"borrowedCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"returnedCount", PGPS_RETURNED, PGPS_UNIT_COUNT},
		{"maxActive", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("name", "maxIdle", "initialSize", "createdCount", "releasedCount", "reconnectedCount",
						  "removeAbandonedCount", "releasedIdleCount",
						  "maxWait", "maxAge", "poolName", "loginTimeout"),
};

/*
 * Commons DBCP 2 and Commons Pool 2.  Their mean waits are of the last 100.
 */
const PgpsDialect pgps_dbcp2 = {
	.name = "dbcp2",
	.with_library = true,
	.detected_by = {"num_active", "num_idle"},
	.keys = (const PgpsDialectKey[]) {
		{"numActive", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"numIdle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"numWaiters", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maxTotal", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NEGATIVE_UNLIMITED},
		{"minIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"borrowedCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("maxIdle", "initialSize", "returnedCount",
						  "createdCount", "destroyedCount",
						  "destroyedByEvictorCount",
						  "destroyedByBorrowValidationCount",
						  "meanActiveTimeMillis", "meanIdleTimeMillis",
						  "meanBorrowWaitTimeMillis",
						  "maxBorrowWaitTimeMillis", "maxWaitMillis", "maxWait",
						  "blockWhenExhausted", "closed", "lifo", "fairness",
						  "factoryType", "creationStackTrace"),
};

/* c3p0; figures of all users go before those of the default user */
const PgpsDialect pgps_c3p0 = {
	.name = "c3p0",
	.with_library = true,
	.detected_by = {"num_busy_connections*", "num_idle_connections*"},
	.keys = (const PgpsDialectKey[]) {
		{"numConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numConnectionsDefaultUser", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numConnectionsAllUsers", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"numBusyConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numBusyConnectionsDefaultUser", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numBusyConnectionsAllUsers", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"numIdleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numIdleConnectionsDefaultUser", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
		{"numIdleConnectionsAllUsers", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"numThreadsAwaitingCheckout", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"numThreadsAwaitingCheckoutDefaultUser", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"numFailedCheckouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"maxPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minPoolSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	/* numFailedCheckoutsDefaultUser stays 0 when a checkout times out */
	.ignored = PGPS_WORDS("threadPoolNumTasksPending", "initialPoolSize",
						  "numFailedCheckoutsDefaultUser",
						  "acquireIncrement", "numUnclosedOrphanedConnections",
						  "numUnclosedOrphanedConnectionsDefaultUser",
						  "numUnclosedOrphanedConnectionsAllUsers",
						  "numFailedCheckins", "numFailedCheckinsDefaultUser",
						  "numFailedIdleTests",
						  "numFailedIdleTestsDefaultUser", "numUserPools",
						  "checkoutTimeout", "dataSourceName",
						  "identityToken"),
};

/*
 * Agroal, by hand; Jackson writes a Duration as seconds or as PT1.5S
 */
const PgpsDialect pgps_agroal = {
	.name = "agroal",
	.detected_by = {"active_count", "available_count", "awaiting_count"},
	.keys = (const PgpsDialectKey[]) {
		{"activeCount", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"availableCount", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"awaitingCount", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"acquireCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"blockingTimeTotal", PGPS_ACQUIRE_TIME, PGPS_UNIT_S},
		{"creationCount", PGPS_CREATED, PGPS_UNIT_COUNT},
		{"creationTimeTotal", PGPS_CREATE_TIME, PGPS_UNIT_S},
		{"maxSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("maxUsedCount", "blockingTimeAverage",
						  "blockingTimeMax", "creationTimeAverage",
						  "creationTimeMax", "destroyCount", "flushCount",
						  "invalidCount", "leakDetectionCount", "reapCount"),
};

/*
 * r2dbc-pool: PoolMetrics, by hand
 */
const PgpsDialect pgps_r2dbc = {
	.name = "r2dbc",
	.detected_by = {"acquired_size", "allocated_size"},
	.keys = (const PgpsDialectKey[]) {
		{"acquiredSize", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"allocatedSize", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idleSize", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"pendingAcquireSize", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maxAllocatedSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MAXINT_UNLIMITED},
		{NULL}
	},
	.ignored = PGPS_WORDS("maxPendingAcquireSize"),
};
