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
	int64		every;			/* a timer sends a report each so many
								 * microseconds; 0 = it does not say */
	int32		hosts;			/* servers that its connections are on; 0 = it
								 * does not say */
	PgpsPids	lent;			/* connections lent out, if it names them */
	PgpsPids	idle;			/* connections idle in the pool, if it names
								 * them */
	char		row[PGPS_INSTANCE_LEN]; /* name of one of several pools; empty
										 * = the only one */
	bool		elsewhere;		/* not about the pool of this connection */
	bool		counts_requests;	/* checkouts are what was asked for, not
									 * what was lent */
	bool		not_a_pool;		/* a row of the console itself, not of an
								 * application's pool */
	int			nunmapped;		/* number of keys that were not understood */
	Size		unmapped_used;
	char		unmapped[PGPS_UNMAPPED_LEN];	/* these keys, as many as fit,
												 * each ended by NUL */
} PgpsStats;

extern List *pgps_parse_stats(Jsonb *document, bool strict);

#endif							/* PGPS_STATS_H */
