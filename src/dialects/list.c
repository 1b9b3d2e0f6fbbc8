/*-------------------------------------------------------------------------
 *
 * list.c
 *	  The words of each pool library.  Data only: a new dialect is new rows.
 *
 * Keys are written as the library writes them and compared without case and
 * punctuation, so that AcquireCount, acquire_count and "acquire count" are
 * one key.  The first dialect whose detected_by keys are all there is taken;
 * when none is, the one that knows most of the keys.
 *
 * Each family of libraries has a file; this one has our own words and the
 * order.  The view dialects shows all of it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/list.h"

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

const PgpsDialect pgps_native = {
	.name = "native",
	.keys = native_keys,
	.consistent = true,
};

/* most specific first */
const PgpsDialect *const pgps_dialects[] = {
	&pgps_psycopg_pool,
	&pgps_sqlalchemy,
	&pgps_psycopg2,
	&pgps_pgxpool,
	&pgps_database_sql,
	&pgps_asyncpg,
	&pgps_node_pg,
	&pgps_tarn,
	&pgps_sequelize_pool,
	&pgps_deadpool,
	&pgps_bb8,
	&pgps_activerecord,
	&pgps_r2d2,
	&pgps_mariadb_j,
	&pgps_hikaricp,
	&pgps_micrometer,
	&pgps_tomcat_jdbc,
	&pgps_dbcp2,
	&pgps_c3p0,
	&pgps_agroal,
	&pgps_r2dbc,
	&pgps_prisma,
	&pgps_otel,
	&pgps_db_connection,
	&pgps_pgdog_pools,
	&pgps_pgbouncer_pools,
	&pgps_pgdog_stats,
	&pgps_pgcat_stats,
	&pgps_pgbouncer_stats,
	&pgps_pgbouncer_databases,
	&pgps_pgbouncer_lists,
	&pgps_pgpool2_pools,
	&pgps_php_fpm,
	&pgps_sqlx,
	&pgps_mariadb_pool,
	&pgps_mysql_pool,
	&pgps_sequel,
	&pgps_postgres_js,
	&pgps_native,
	NULL
};

StaticAssertDecl(lengthof(pgps_dialects) <= PGPS_MAX_DIALECTS, "dialects");
