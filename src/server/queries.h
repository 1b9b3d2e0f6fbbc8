/*-------------------------------------------------------------------------
 *
 * queries.h
 *	  The queries that connections of a pool are busiest with.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_QUERIES_H
#define PGPS_QUERIES_H

#include "datatype/timestamp.h"

#include "registry/registry.h"
#include "server/sampler.h"

#define PGPS_QUERIES 16			/* that are kept of a pool */

/* times are microseconds, by samples */
typedef struct PgpsQuery
{
	int64		queryid;
	int64		weight;			/* by it a query keeps its place */
	int64		part[PGPS_PARTS];	/* active */
	int64		idle;			/* in transaction, after it */
} PgpsQuery;

typedef struct PgpsQueries
{
	TimestampTz owner;			/* first_seen of the pool; 0 = none */
	TimestampTz since;
	int64		all;			/* time of all samples, of other queries too */
	int			n;
	PgpsQuery	query[PGPS_QUERIES];
} PgpsQueries;

extern Size pgps_queries_size(void);
extern void pgps_queries_init(void *area, bool found);
extern bool pgps_queries_read(PgpsQueries *queries,
							  const PgpsPoolCopy *pool);

/* for the collector */
extern void pgps_queries_begin(void);
extern void pgps_queries_add(int32 pool, int64 queryid, int part, int64 time);
extern void pgps_queries_end(void);
extern void pgps_queries_note_owner(const PgpsPoolCopy *pool,
									TimestampTz now);

#endif							/* PGPS_QUERIES_H */
