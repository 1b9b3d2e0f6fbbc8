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

/* what is asked; not every product answers all, POOL_... are Pgpool-II's */
#define PGPS_SHOW_LIST(S) \
	S(VERSION) \
	S(POOL_VERSION) \
	S(CONFIG) \
	S(STATE) \
	S(POOLS) \
	S(CLIENTS) \
	S(STATS) \
	S(DATABASES) \
	S(USERS) \
	S(LISTS) \
	S(SERVERS) \
	S(POOL_STATUS) \
	S(POOL_POOLS)

#define PGPS_SHOW(name) PGPS_SHOW_##name,
typedef enum PgpsShow
{
	PGPS_SHOW_LIST(PGPS_SHOW) PGPS_SHOWS
} PgpsShow;

/* the answer to one command, as text */
typedef struct PgpsTable
{
	int			ncols;
	char	  **columns;
	int			nrows;
	char	  **cells;			/* row after row; a cell that is null is NULL */
} PgpsTable;

/* one poll */
typedef struct PgpsConsole
{
	int			number;			/* number of the pooler in shared memory */
	const char *name;
	const char *database;		/* name of the console's database */
	const char *address;		/* where it was reached; empty = by a socket
								 * of the file system */
	TimestampTz started_at;
	bool		is_one_of_several;	/* others may share its port, unknown to
									 * us */
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
extern PGDLLEXPORT bool pgps_console_wants(const PgpsConsole *console,
										   PgpsShow show);
extern PGDLLEXPORT uint64 pgps_console_process(const PgpsConsole *console);
extern PGDLLEXPORT bool pgps_console_take(const PgpsConsole *console);

#endif							/* PGPS_CONSOLE_H */
