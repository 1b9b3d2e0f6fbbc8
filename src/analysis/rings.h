/*-------------------------------------------------------------------------
 *
 * rings.h
 *	  Where history is kept: the rings of buckets, and which pools have one.
 *
 * For history.c and rings.c alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_RINGS_H
#define PGPS_RINGS_H

#include "datatype/timestamp.h"

#include "analysis/history.h"
#include "analysis/load.h"
#include "analysis/snapshot.h"

#define PGPS_NO_RING (-1)

/*
 * A bucket as it is kept.  What a counter rose by is cut off at some 4
 * billion; times are exact.
 */
typedef struct PgpsKept
{
	int32		minute;			/* its start, since 2000; 0 = empty */
	int32		instances;
	int32		min_connections;
	int32		max_connections;
	int32		min_checked_out;
	int32		max_checked_out;
	int32		max_in_xact;
	int32		max_waiting;
	int32		max_used;
	uint32		count[PGPS_FIRST_TIME];
	int64		time[PGPS_COUNTS - PGPS_FIRST_TIME];
	PgpsLoadSums load;
	uint8		cause;
} PgpsKept;

/* one of ten minutes */
typedef struct PgpsKeptLong
{
	PgpsKept	kept;
	uint32		watched;
	int32		max_lent;
	PgpsBusy	busiest[PGPS_BASES];
} PgpsKeptLong;

typedef struct PgpsRing
{
	int32		pool;			/* its entry */
	bool		anew;			/* "total" is not known yet */
	TimestampTz owner;			/* first_seen of the pool */
	TimestampTz used_at;		/* when it was last seen in use; at first,
								 * when it got the ring */
	int64		total[PGPS_COUNTS]; /* counters at the last pass */
	PgpsKept	minutes[PGPS_NMINUTES];
	PgpsKeptLong ten_minutes[PGPS_NTEN_MINUTES];
} PgpsRing;

extern PgpsRing *pgps_server_ring;

extern PgpsRing *pgps_ring(int32 ring);
extern int32 pgps_ring_of(int32 pool, TimestampTz first_seen);
extern bool pgps_has_ring(int32 pool);
extern void pgps_ring_start(int32 ring, int32 pool, TimestampTz first_seen,
							bool anew);
extern int32 pgps_ring_restore(int32 pool, TimestampTz first_seen);
extern void pgps_rings_assign(const PgpsSnapshot *snapshot,
							  TimestampTz last_pass, int32 *assigned);

extern void pgps_bucket_put(PgpsRing *ring, PgpsPeriod period,
							const PgpsBucket *bucket);
extern bool pgps_bucket_get(PgpsBucket *bucket, const PgpsRing *ring,
							PgpsPeriod period, TimestampTz start);
extern bool pgps_is_in_use(const PgpsPoolState *pool);

#endif							/* PGPS_RINGS_H */
