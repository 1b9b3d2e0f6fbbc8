/*-------------------------------------------------------------------------
 *
 * console.h
 *	  What a pooler's console answers.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CONSOLE_H
#define PGPS_CONSOLE_H

#include "datatype/timestamp.h"

/* what is asked; not every product answers all of it */
typedef enum PgpsShow
{
	PGPS_SHOW_VERSION,
	PGPS_SHOW_POOL_VERSION,		/* the POOL_ ones are Pgpool-II's */
	PGPS_SHOW_CONFIG,
	PGPS_SHOW_POOLS,
	PGPS_SHOW_CLIENTS,
	PGPS_SHOW_STATS,
	PGPS_SHOW_DATABASES,
	PGPS_SHOW_LISTS,
	PGPS_SHOW_SERVERS,
	PGPS_SHOW_POOL_STATUS,
	PGPS_SHOW_POOL_POOLS,
	PGPS_SHOWS
} PgpsShow;

/* the answer to one command, as text */
typedef struct PgpsTable
{
	int			ncols;
	char	  **columns;
	int			nrows;
	char	  **cells;			/* row after row; a cell that is null is
								 * NULL */
} PgpsTable;

/* one poll */
typedef struct PgpsConsole
{
	int			number;			/* number of the pooler in shared memory */
	const char *name;
	const char *database;		/* name of the console's database */
	TimestampTz started_at;
	const PgpsTable *tables[PGPS_SHOWS];	/* NULL = not answered */
} PgpsConsole;

typedef enum PgpsProduct
{
	PGPS_PRODUCT_UNKNOWN,
	PGPS_PRODUCT_PGBOUNCER,
	PGPS_PRODUCT_ODYSSEY,
	PGPS_PRODUCT_PGPOOL,
	PGPS_PRODUCT_OTHER
} PgpsProduct;

extern PGDLLEXPORT PgpsProduct pgps_console_product(const PgpsConsole *console);
extern PGDLLEXPORT bool pgps_console_take(const PgpsConsole *console);

#endif							/* PGPS_CONSOLE_H */
