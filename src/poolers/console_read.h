/*-------------------------------------------------------------------------
 *
 * console_read.h
 *	  What a pooler's console says, as plain rows.
 *
 * Nothing here knows the registry or the catalogs: names are the pooler's.
 * All texts are those of the console's tables, or in the current memory
 * context.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CONSOLE_READ_H
#define PGPS_CONSOLE_READ_H

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "poolers/console.h"
#include "poolers/poolers.h"

/* one pool; or the counters of a database, if they are of no single pool */
typedef struct PgpsConsolePool
{
	const char *database;		/* its name at the pooler */
	const char *user;			/* role at the pooler; NULL = all of the
								 * database */
	const char *server_database;	/* name of the database on the server */
	const char *server_user;	/* role on the server; NULL = the same as
								 * "user" */
	const char *pool_mode;		/* or NULL */
	const char *dialect;
	int32		shared_cap;		/* of all pools of its database; 0 = none */
	uint8		state;			/* PGPS_PAUSED ... */
	int32		cancels;		/* cancel requests that wait; -1 = not told */
	const char *waiting_app;	/* application_name of those who wait; NULL =
								 * nobody, or not told */
	int			lead;			/* of it, while the clients are counted */
	PgpsValues	values;
} PgpsConsolePool;

/* one server connection; unknown numbers are -1, unknown texts NULL */
typedef struct PgpsConsoleServer
{
	int			pool;			/* index of its pool */
	int			node;			/* of Pgpool-II: which of its servers */
	int32		pid;			/* of the process at the other end */
	int32		port;			/* local port at the pooler */
	const char *local_addr;		/* local address at the pooler */
	bool		is_local;		/* over a socket of the file system */
} PgpsConsoleServer;

typedef struct PgpsConsoleRows
{
	PgpsPooler	pooler;
	int			npools;
	PgpsConsolePool *pools;
	int			ncounters;
	PgpsConsolePool *counters;	/* rows of SHOW STATS for databases that have
								 * pools */
	int			nservers;		/* ... that has pools */
	PgpsConsoleServer *servers;
} PgpsConsoleRows;

/* Returns NULL if the answers are not those of a pooler. */
extern PgpsConsoleRows *pgps_console_read(const PgpsConsole *console);

/* Next pool from "from" on, of any user if that is NULL; -1 = no more */
extern int	pgps_console_pool(const PgpsConsoleRows *rows, int from,
							  const char *database, const char *user);

/* console_pooler.c */
extern void pgps_read_pooler(PgpsPooler *pooler, const PgpsConsole *console);

/* console_state.c */
extern bool pgps_is_pgbouncer(const PgpsConsole *console, int least);
extern void pgps_read_states(PgpsConsoleRows *rows, const PgpsConsole *console);
extern int32 pgps_count_in_lists(const PgpsTable *lists, const char *name);

/* table.c: the answer to one SHOW command */
extern const char *pgps_cell(const PgpsTable *table, int row,
							 const char *column);
extern bool pgps_is_cell(const PgpsTable *table, int row, const char *column,
						 const char *value);
extern int	pgps_table_row(const PgpsTable *table, const char *column,
						   const char *value);
extern int32 pgps_count_in(const PgpsTable *table, int row,
						   const char *column);
extern int64 pgps_sum_of(const PgpsTable *table, const char *column,
						 const char *without);
extern bool pgps_speaks(const PgpsTable *table, const PgpsDialect *dialect);
extern const PgpsDialect *pgps_dialect_of(const PgpsTable *table,
										  const PgpsDialect *const *dialects);
extern void pgps_read_row(PgpsFigures *figures, const PgpsTable *table, int row,
						  const PgpsDialect *dialect);

#endif							/* PGPS_CONSOLE_READ_H */
