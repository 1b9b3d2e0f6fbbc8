/*-------------------------------------------------------------------------
 *
 * java.c
 *	  Pools of Java libraries.
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
 * MariaDB Connector/J: as Hikari, and connectionRequests
 */
static const PgpsDialectKey mariadb_j_keys[] = {
	{"activeConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"idleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"totalConnections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"connectionRequests", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"maxPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minPoolSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"poolTag", 0, PGPS_UNIT_NONE, 0},
	{"poolName", 0, PGPS_UNIT_NONE, 0},
	{"maxIdleTime", 0, PGPS_UNIT_NONE, 0},
	{"staleConnections", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_mariadb_j = {
	.name = "mariadb_j",
	.detected_by = {
		"active_connections",
		"idle_connections",
		"total_connections",
		"connection_requests"
	},
	.keys = mariadb_j_keys,
	.elsewhere = true,
};

/*
 * HikariPoolMXBean, with or without HikariConfigMXBean
 */
static const PgpsDialectKey hikaricp_keys[] = {
	{"activeConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"idleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"totalConnections", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"threadsAwaitingConnection", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"pendingConnections", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"maximumPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minimumIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"maxConnections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minConnections", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"poolName", 0, PGPS_UNIT_NONE, 0},
	{"catalog", 0, PGPS_UNIT_NONE, 0},
	{"connectionTimeout", 0, PGPS_UNIT_NONE, 0},
	{"idleTimeout", 0, PGPS_UNIT_NONE, 0},
	{"keepaliveTime", 0, PGPS_UNIT_NONE, 0},
	{"leakDetectionThreshold", 0, PGPS_UNIT_NONE, 0},
	{"maxLifetime", 0, PGPS_UNIT_NONE, 0},
	{"validationTimeout", 0, PGPS_UNIT_NONE, 0},
	{"username", 0, PGPS_UNIT_NONE, 0},
	{"password", 0, PGPS_UNIT_NONE, 0},
	{"credentials", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_hikaricp = {
	.name = "hikaricp",
	.detected_by = {
		"active_connections|maximum_pool_size",
		"idle_connections|minimum_idle",
		"total_connections|maximum_pool_size"
	},
	.keys = hikaricp_keys,
};

/*
 * Tomcat's JDBC pool: its waitCount is a gauge
 */
static const PgpsDialectKey tomcat_jdbc_keys[] = {
	{"active", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"numActive", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"idle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"numIdle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"size", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"waitCount", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"borrowedCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"maxActive", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"name", 0, PGPS_UNIT_NONE, 0},
	{"maxIdle", 0, PGPS_UNIT_NONE, 0},
	{"initialSize", 0, PGPS_UNIT_NONE, 0},
	{"returnedCount", 0, PGPS_UNIT_NONE, 0},
	{"createdCount", 0, PGPS_UNIT_NONE, 0},
	{"releasedCount", 0, PGPS_UNIT_NONE, 0},
	{"reconnectedCount", 0, PGPS_UNIT_NONE, 0},
	{"removeAbandonedCount", 0, PGPS_UNIT_NONE, 0},
	{"releasedIdleCount", 0, PGPS_UNIT_NONE, 0},
	{"maxWait", 0, PGPS_UNIT_NONE, 0},
	{"maxAge", 0, PGPS_UNIT_NONE, 0},
	{"poolName", 0, PGPS_UNIT_NONE, 0},
	{"loginTimeout", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_tomcat_jdbc = {
	.name = "tomcat_jdbc",
	.detected_by = {"borrowed_count", "wait_count", "active|num_active"},
	.keys = tomcat_jdbc_keys,
};

/*
 * Commons DBCP 2 and Commons Pool 2.  Their mean waits are of the last 100.
 */
static const PgpsDialectKey dbcp2_keys[] = {
	{"numActive", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"numIdle", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"numWaiters", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"maxTotal", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NEGATIVE_UNLIMITED},
	{"minIdle", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"borrowedCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"maxIdle", 0, PGPS_UNIT_NONE, 0},
	{"initialSize", 0, PGPS_UNIT_NONE, 0},
	{"returnedCount", 0, PGPS_UNIT_NONE, 0},
	{"createdCount", 0, PGPS_UNIT_NONE, 0},
	{"destroyedCount", 0, PGPS_UNIT_NONE, 0},
	{"destroyedByEvictorCount", 0, PGPS_UNIT_NONE, 0},
	{"destroyedByBorrowValidationCount", 0, PGPS_UNIT_NONE, 0},
	{"meanActiveTimeMillis", 0, PGPS_UNIT_NONE, 0},
	{"meanIdleTimeMillis", 0, PGPS_UNIT_NONE, 0},
	{"meanBorrowWaitTimeMillis", 0, PGPS_UNIT_NONE, 0},
	{"maxBorrowWaitTimeMillis", 0, PGPS_UNIT_NONE, 0},
	{"maxWaitMillis", 0, PGPS_UNIT_NONE, 0},
	{"blockWhenExhausted", 0, PGPS_UNIT_NONE, 0},
	{"closed", 0, PGPS_UNIT_NONE, 0},
	{"lifo", 0, PGPS_UNIT_NONE, 0},
	{"fairness", 0, PGPS_UNIT_NONE, 0},
	{"factoryType", 0, PGPS_UNIT_NONE, 0},
	{"creationStackTrace", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_dbcp2 = {
	.name = "dbcp2",
	.detected_by = {"num_active", "num_idle"},
	.keys = dbcp2_keys,
};

/*
 * c3p0; what all users have together is more than what the default user has
 */
static const PgpsDialectKey c3p0_keys[] = {
	{"numConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numConnectionsDefaultUser", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numConnectionsAllUsers", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"numBusyConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numBusyConnectionsDefaultUser", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numBusyConnectionsAllUsers", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"numIdleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numIdleConnectionsDefaultUser", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_WEAK},
	{"numIdleConnectionsAllUsers", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"threadPoolNumTasksPending", 0, PGPS_UNIT_NONE, 0},
	{"numThreadsAwaitingCheckout", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"numThreadsAwaitingCheckoutDefaultUser", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"numFailedCheckouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"numFailedCheckoutsDefaultUser", PGPS_TIMEOUTS, PGPS_UNIT_COUNT, 0},
	{"maxPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minPoolSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"initialPoolSize", 0, PGPS_UNIT_NONE, 0},
	{"acquireIncrement", 0, PGPS_UNIT_NONE, 0},
	{"numUnclosedOrphanedConnections", 0, PGPS_UNIT_NONE, 0},
	{"numUnclosedOrphanedConnectionsDefaultUser", 0, PGPS_UNIT_NONE, 0},
	{"numUnclosedOrphanedConnectionsAllUsers", 0, PGPS_UNIT_NONE, 0},
	{"numFailedCheckins", 0, PGPS_UNIT_NONE, 0},
	{"numFailedCheckinsDefaultUser", 0, PGPS_UNIT_NONE, 0},
	{"numFailedIdleTests", 0, PGPS_UNIT_NONE, 0},
	{"numFailedIdleTestsDefaultUser", 0, PGPS_UNIT_NONE, 0},
	{"numUserPools", 0, PGPS_UNIT_NONE, 0},
	{"checkoutTimeout", 0, PGPS_UNIT_NONE, 0},
	{"dataSourceName", 0, PGPS_UNIT_NONE, 0},
	{"identityToken", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_c3p0 = {
	.name = "c3p0",
	.detected_by = {"num_busy_connections*", "num_idle_connections*"},
	.keys = c3p0_keys,
};

/*
 * Agroal, by hand; Jackson writes a Duration as seconds or as PT1.5S
 */
static const PgpsDialectKey agroal_keys[] = {
	{"activeCount", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"availableCount", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"awaitingCount", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"acquireCount", PGPS_CHECKOUTS, PGPS_UNIT_COUNT, 0},
	{"blockingTimeTotal", PGPS_ACQUIRE_TIME, PGPS_UNIT_S, 0},
	{"maxSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, 0},
	{"minSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT, 0},
	{"maxUsedCount", 0, PGPS_UNIT_NONE, 0},
	{"blockingTimeAverage", 0, PGPS_UNIT_NONE, 0},
	{"blockingTimeMax", 0, PGPS_UNIT_NONE, 0},
	{"creationCount", 0, PGPS_UNIT_NONE, 0},
	{"creationTimeAverage", 0, PGPS_UNIT_NONE, 0},
	{"creationTimeMax", 0, PGPS_UNIT_NONE, 0},
	{"creationTimeTotal", 0, PGPS_UNIT_NONE, 0},
	{"destroyCount", 0, PGPS_UNIT_NONE, 0},
	{"flushCount", 0, PGPS_UNIT_NONE, 0},
	{"invalidCount", 0, PGPS_UNIT_NONE, 0},
	{"leakDetectionCount", 0, PGPS_UNIT_NONE, 0},
	{"reapCount", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_agroal = {
	.name = "agroal",
	.detected_by = {"active_count", "available_count", "awaiting_count"},
	.keys = agroal_keys,
};

/*
 * r2dbc-pool: PoolMetrics, by hand
 */
static const PgpsDialectKey r2dbc_keys[] = {
	{"acquiredSize", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, 0},
	{"allocatedSize", PGPS_OPEN, PGPS_UNIT_COUNT, 0},
	{"idleSize", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, 0},
	{"pendingAcquireSize", PGPS_WAITING, PGPS_UNIT_COUNT, 0},
	{"maxAllocatedSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MAXINT_UNLIMITED},
	{"maxPendingAcquireSize", 0, PGPS_UNIT_NONE, 0},
	{NULL}
};

const PgpsDialect pgps_r2dbc = {
	.name = "r2dbc",
	.detected_by = {"acquired_size", "allocated_size"},
	.keys = r2dbc_keys,
};
