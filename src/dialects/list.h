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

/* python.c */
extern const PgpsDialect pgps_psycopg_pool;
extern const PgpsDialect pgps_sqlalchemy;
extern const PgpsDialect pgps_psycopg2;
extern const PgpsDialect pgps_asyncpg;
extern const PgpsDialect pgps_mysql_pool;
extern const PgpsDialect pgps_mariadb_pool;

/* node.c */
extern const PgpsDialect pgps_node_pg;
extern const PgpsDialect pgps_tarn;
extern const PgpsDialect pgps_sequelize_pool;
extern const PgpsDialect pgps_postgres_js;

/* go.c */
extern const PgpsDialect pgps_pgxpool;
extern const PgpsDialect pgps_database_sql;

/* java.c */
extern const PgpsDialect pgps_mariadb_j;
extern const PgpsDialect pgps_hikaricp;
extern const PgpsDialect pgps_tomcat_jdbc;
extern const PgpsDialect pgps_dbcp2;
extern const PgpsDialect pgps_c3p0;
extern const PgpsDialect pgps_agroal;
extern const PgpsDialect pgps_r2dbc;

/* other.c */
extern const PgpsDialect pgps_deadpool;
extern const PgpsDialect pgps_bb8;
extern const PgpsDialect pgps_r2d2;
extern const PgpsDialect pgps_sqlx;
extern const PgpsDialect pgps_activerecord;
extern const PgpsDialect pgps_sequel;
extern const PgpsDialect pgps_db_connection;
extern const PgpsDialect pgps_php_fpm;

/* consoles.c */
extern const PgpsDialect pgps_pgdog_pools;
extern const PgpsDialect pgps_pgbouncer_pools;
extern const PgpsDialect pgps_pgdog_stats;
extern const PgpsDialect pgps_pgcat_stats;
extern const PgpsDialect pgps_pgbouncer_stats;
extern const PgpsDialect pgps_pgbouncer_databases;
extern const PgpsDialect pgps_pgbouncer_lists;
extern const PgpsDialect pgps_pgpool2_pools;

/* metrics.c */
extern const PgpsDialect pgps_prisma;
extern const PgpsDialect pgps_micrometer;
extern const PgpsDialect pgps_otel;

/* pgpool2.c */
extern void pgps_combine_pgpool2(PgpsValues *values, struct PgpsFigures *rows,
								 int nrows);

#endif							/* PGPS_LIST_H */
