/*-------------------------------------------------------------------------
 *
 * console_work.h
 *	  One poll of a pooler on its way into the registry; for console.c,
 *	  console_pools.c and console_servers.c alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CONSOLE_WORK_H
#define PGPS_CONSOLE_WORK_H

#include "poolers/poolers.h"
#include "poolers/table.h"
#include "registry/registry.h"

/* one pool of a pooler */
typedef struct PgpsConsolePool
{
	const char *database;		/* as the pooler calls it */
	const char *user;			/* NULL = all of the database */
	Oid			dbid;			/* here; InvalidOid = not known here */
	Oid			roleid;
	NameData	datname;
	NameData	usename;
	const char *pool_mode;
	int32		shared_cap;		/* of all pools of its database; 0 = none */
	PgpsValues	counted;		/* of its counters, for other rows so far */
	int			listed;			/* server connections it lists ... */
	int			here;			/* ... of those, seen here */
	PgpsStats	stats;
} PgpsConsolePool;

/* one poll on its way into the registry */
typedef struct PgpsWork
{
	const PgpsConsole *console;
	PgpsProduct product;
	PgpsPooler	pooler;
	int			npools;
	int			room;
	PgpsConsolePool *pools;
	int			nbackends;
	PgpsBackend *backends;		/* by pid */
	int			npids;
	int		   *pids;			/* those held by the pooler */
} PgpsWork;

/* console_pools.c */
extern void pgps_name_console_pool(const PgpsWork *work,
								   const PgpsConsolePool *pool,
								   PgpsPoolKey *key, char *instance);
extern void pgps_read_pools(PgpsWork *work);
extern void pgps_read_pgpool(PgpsWork *work);

/* console_servers.c */
extern void pgps_find_backends(PgpsWork *work);
extern void pgps_bind_servers(PgpsWork *work);
extern void pgps_bind_pgpool(PgpsWork *work);

#endif							/* PGPS_CONSOLE_WORK_H */
