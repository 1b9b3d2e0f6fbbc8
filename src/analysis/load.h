/*-------------------------------------------------------------------------
 *
 * load.h
 *	  How busy each instance was in the current ten minutes.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LOAD_H
#define PGPS_LOAD_H

#include "analysis/snapshot.h"

/*
 * How busy one instance of a pool was, on average of the time that it was
 * watched; by what the pool reports, and by what the server sees.
 */
typedef struct PgpsLoad
{
	float		load;			/* connections lent out, or in a transaction;
								 * -1 = not reported */
	float		arrivals;		/* checkouts or transactions a second; -1 =
								 * not reported */
	int32		cap;			/* its maximum then; -1 = unknown */
} PgpsLoad;

typedef enum PgpsBasis
{
	PGPS_BASIS_CLIENT,
	PGPS_BASIS_SERVER,
	PGPS_BASES
} PgpsBasis;

/* for the collector alone */
extern int64 pgps_watch_load(const PgpsSnapshot *snapshot, TimestampTz since);
extern void pgps_busiest(const PgpsPoolView *pool, PgpsLoad *busiest);

#endif							/* PGPS_LOAD_H */
