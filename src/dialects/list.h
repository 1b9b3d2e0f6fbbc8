/*-------------------------------------------------------------------------
 *
 * list.h
 *	  The dialects by name, for list.c and for those who need a certain one.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LIST_H
#define PGPS_LIST_H

#include "dialects/dialect.h"
#include "dialects/fields.h"

/* in the order in which they are tried: most specific first, our own last */
#define PGPS_DIALECTS(D) \
	D(psycopg_pool) \
	D(sqlalchemy) \
	D(psycopg2) \
	D(pgxpool) \
	D(database_sql) \
	D(asyncpg) \
	D(node_pg) \
	D(tarn) \
	D(sequelize_pool) \
	D(slonik) \
	D(deadpool) \
	D(bb8) \
	D(activerecord) \
	D(r2d2) \
	D(mariadb_j) \
	D(hikaricp) \
	D(micrometer) \
	D(tomcat_jdbc) \
	D(dbcp2) \
	D(c3p0) \
	D(agroal) \
	D(r2dbc) \
	D(prisma) \
	D(otel) \
	D(db_connection) \
	D(pgdog_pools) \
	D(pgbouncer_pools) \
	D(pgdog_stats) \
	D(pgcat_stats) \
	D(pgbouncer_stats) \
	D(pgbouncer_databases) \
	D(pgbouncer_lists) \
	D(pgpool2_pools) \
	D(php_fpm) \
	D(sqlx) \
	D(mariadb_pool) \
	D(mysql_pool) \
	D(dbutils) \
	D(sequel) \
	D(postgres_js) \
	D(native) \
	D(generic)

#define PGPS_DIALECT(name) extern const PgpsDialect pgps_##name;
PGPS_DIALECTS(PGPS_DIALECT)

/* pgpool2.c */
extern void pgps_combine_pgpool2(PgpsValues *values, struct PgpsFigures *rows,
								 int nrows);

#endif							/* PGPS_LIST_H */
