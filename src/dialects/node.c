/*-------------------------------------------------------------------------
 *
 * node.c
 *	  Pools of JavaScript libraries.  Infinity becomes null in their JSON.
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
 * pg.Pool, by hand: totalCount, idleCount, waitingCount, expiredCount and
 * options.max, .min.  totalCount includes those that still connect.
 */
const PgpsDialect pgps_node_pg = {
	.name = "node_pg",
	.with_library = true,
	.detected_by = {"total_count", "idle_count", "waiting_count"},
	.keys = (const PgpsDialectKey[]) {
		{"totalCount", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"idleCount", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"waitingCount", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
		{"min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("expiredCount", "ending", "ended"),
};

/*
 * tarn, the pool of Knex, by hand
 */
const PgpsDialect pgps_tarn = {
	.name = "tarn",
	.with_library = true,
	.detected_by = {"num_used", "num_free"},
	.keys = (const PgpsDialectKey[]) {
		{"numUsed", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"numUsed", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"numFree", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"numFree", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"numPendingCreates", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"numPendingAcquires", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
		{NULL}
	},
	.ignored = PGPS_WORDS("numPendingValidations"),
};

/*
 * sequelize-pool, by hand
 */
const PgpsDialect pgps_sequelize_pool = {
	.name = "sequelize_pool",
	.with_library = true,
	.detected_by = {"size", "available", "using"},
	.keys = (const PgpsDialectKey[]) {
		{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"using", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maxSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
		{"minSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("name", "draining"),
};

/*
 * slonik: pool.state(), and its maximum by hand.  What is given back or about
 * to be destroyed is still lent; it says how many connections are being opened.
 */
const PgpsDialect pgps_slonik = {
	.name = "slonik",
	.detected_by = {
		"acquired_connections",
		"idle_connections",
		"waiting_clients",
		"pending_connections"
	},
	.keys = (const PgpsDialectKey[]) {
		{"acquiredConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"acquiredConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"pendingReleaseConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"pendingReleaseConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"pendingDestroyConnections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
		{"pendingDestroyConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"pendingConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"idleConnections", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"idleConnections", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
		{"waitingClients", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"maximumPoolSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT},
		{"minimumPoolSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	.ignored = PGPS_WORDS("state"),
};

/*
 * postgres.js shows only its configuration
 */
const PgpsDialect pgps_postgres_js = {
	.name = "postgres_js",
	.keys = (const PgpsDialectKey[]) {
		{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
		{NULL}
	},
	.ignored = PGPS_WORDS("max_pipeline", "idle_timeout", "connect_timeout",
						  "max_lifetime"),
};
