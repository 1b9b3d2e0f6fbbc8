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

#include "dialects/list.h"

/*
 * pg.Pool, by hand: totalCount, idleCount, waitingCount, expiredCount and
 * options.max, .min.  totalCount includes those that still connect.
 */
static const PgpsDialectKey node_pg_keys[] = {
	{"totalCount", PGPS_OPEN, PGPS_UNIT_COUNT},
	{"idleCount", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
	{"waitingCount", PGPS_WAITING, PGPS_UNIT_COUNT},
	{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
	{"min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
	{NULL}
};

const PgpsDialect pgps_node_pg = {
	.name = "node_pg",
	.detected_by = {"total_count", "idle_count", "waiting_count"},
	.keys = node_pg_keys,
	.ignored = PGPS_WORDS("expiredCount", "ending", "ended"),
};

/*
 * tarn, the pool of Knex, by hand
 */
static const PgpsDialectKey tarn_keys[] = {
	{"numUsed", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT, PGPS_ADD},
	{"numUsed", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
	{"numFree", PGPS_CHECKED_IN, PGPS_UNIT_COUNT, PGPS_ADD},
	{"numFree", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
	{"numPendingCreates", PGPS_OPEN, PGPS_UNIT_COUNT, PGPS_ADD},
	{"numPendingAcquires", PGPS_WAITING, PGPS_UNIT_COUNT},
	{"min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
	{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
	{NULL}
};

const PgpsDialect pgps_tarn = {
	.name = "tarn",
	.detected_by = {"num_used", "num_free"},
	.keys = tarn_keys,
	.ignored = PGPS_WORDS("numPendingValidations"),
};

/*
 * sequelize-pool, by hand
 */
static const PgpsDialectKey sequelize_pool_keys[] = {
	{"size", PGPS_OPEN, PGPS_UNIT_COUNT},
	{"available", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
	{"using", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
	{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
	{"maxSize", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
	{"minSize", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
	{NULL}
};

const PgpsDialect pgps_sequelize_pool = {
	.name = "sequelize_pool",
	.detected_by = {"size", "available", "using"},
	.keys = sequelize_pool_keys,
	.ignored = PGPS_WORDS("name", "draining"),
};

/*
 * postgres.js shows only its configuration
 */
static const PgpsDialectKey postgres_js_keys[] = {
	{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_NULL_UNLIMITED},
	{NULL}
};

const PgpsDialect pgps_postgres_js = {
	.name = "postgres_js",
	.keys = postgres_js_keys,
	.ignored = PGPS_WORDS("max_pipeline", "idle_timeout", "connect_timeout",
						  "max_lifetime"),
};
