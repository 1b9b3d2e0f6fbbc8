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

#include "dialects/fields.h"
#include "poolers/console.h"
#include "poolers/poolers.h"

/* nodes of Pgpool-II that are looked at */
#define PGPS_MAX_NODES 128

/* one pool, or what is counted for a database and no single pool of it */
typedef struct PgpsConsolePool
{
	const char *database;		/* as the pooler calls it */
	const char *user;			/* NULL = all of the database */
	const char *server_database;	/* as it is called where the pooler ... */
	const char *server_user;	/* ... connects to; NULL = the same */
	const char *pool_mode;		/* or NULL */
	const char *dialect;
	int32		shared_cap;		/* of all pools of its database; 0 = none */
	PgpsValues	values;
} PgpsConsolePool;

/* one server connection; what is not known is -1, or NULL */
typedef struct PgpsConsoleServer
{
	int			pool;			/* its pool */
	int			node;			/* of Pgpool-II: which of its servers */
	int32		pid;			/* of the process at the other end */
	int32		port;			/* its own ... */
	const char *local_addr;		/* ... and its own address */
	bool		is_local;		/* over a socket of the file system */
} PgpsConsoleServer;

typedef struct PgpsConsoleRows
{
	PgpsPooler	pooler;
	int			npools;
	PgpsConsolePool *pools;
	int			ncounters;
	PgpsConsolePool *counters;	/* a row of SHOW STATS each, of a database ... */
	int			nservers;		/* ... that has pools */
	PgpsConsoleServer *servers;
} PgpsConsoleRows;

/* NULL: the answers are not those of a pooler */
extern PgpsConsoleRows *pgps_console_read(const PgpsConsole *console);

/* next pool from "from" on, of any user if that is NULL; -1 = no more */
extern int	pgps_console_pool(const PgpsConsoleRows *rows, int from,
							  const char *database, const char *user);

#endif							/* PGPS_CONSOLE_READ_H */
