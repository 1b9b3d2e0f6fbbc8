/*-------------------------------------------------------------------------
 *
 * stats.h
 *	  What the argument of report() says.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_STATS_H
#define PGPS_STATS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "base/text.h"
#include "dialects/fields.h"
#include "dialects/pids.h"

#define PGPS_DIALECT_LEN 24
#define PGPS_UNMAPPED_LEN 256
#define PGPS_PID_LEN 24

/* what one document says: a pool, or one of several */
typedef struct PgpsStats
{
	char		dialect[PGPS_DIALECT_LEN];
	PgpsValues	values;
	char		host[PGPS_POOL_LEN];
	char		pid[PGPS_PID_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	char		app_version[PGPS_POOL_LEN];
	PgpsPids	lent;			/* connections lent out ... */
	PgpsPids	idle;			/* ... and idle in the pool */
	char		row[PGPS_INSTANCE_LEN]; /* which of several; empty = the only */
	bool		elsewhere;		/* says nothing about this connection */
	bool		not_a_pool;		/* a row that no application waits for */
	int			nunmapped;		/* keys that were not understood ... */
	Size		unmapped_used;
	char		unmapped[PGPS_UNMAPPED_LEN];	/* ... as many as fit, each
												 * ended by NUL */
} PgpsStats;

extern List *pgps_parse_stats(Jsonb *document, bool strict);

#endif							/* PGPS_STATS_H */
