/*-------------------------------------------------------------------------
 *
 * list.c
 *	  All dialects in the order in which they are tried, and our own words.
 *
 * The first dialect whose detected_by keys are all there is taken; when none
 * is, the one that knows most of the keys.  The view dialects shows all of
 * them.
 *
 * A new dialect is data in the file of its family (python.c, java.c, ...), a
 * line in list.h, and one here.  A key more that reports a figure is a row
 * of .keys, and one that does not is a word of .ignored.
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
	{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT},
	{"max_overflow", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
	{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
	{"min_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
	{"unlimited", PGPS_UNLIMITED, PGPS_UNIT_BOOL},
	{"open", PGPS_OPEN, PGPS_UNIT_COUNT},
	{"checked_out", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
	{"checked_in", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
	{"overflow", PGPS_OVERFLOW, PGPS_UNIT_COUNT},
	{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
	{"max_wait", PGPS_MAX_WAIT, PGPS_UNIT_MS},
	{"checkouts", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
	{"waits", PGPS_WAITS, PGPS_UNIT_COUNT},
	{"total_wait_time", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_MS},
	{"timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
	{"errors", PGPS_ERRORS, PGPS_UNIT_COUNT},
	{"total_use_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS},
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
