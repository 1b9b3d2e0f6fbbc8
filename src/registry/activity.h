/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What the server itself sees of an instance: how many are in a transaction,
 *	  peaks, exhaustion.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ACTIVITY_H
#define PGPS_ACTIVITY_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/spin.h"

#include "registry/counters.h"

/*
 * Shared, in the instance's entry.  In every transaction only what stands before
 * the cap is used, in one cache line: the number is written by the backends
 * attached to it, without a lock.
 */
typedef struct PgpsActivity
{
	pg_atomic_uint32 in_xact;	/* as events count it; readers look at the
								 * backends themselves */
	uint32		generation;		/* how often it was reset; guarded by the
								 * entry's spinlock, read without */

	slock_t		mutex;			/* guards all that follows */
	int32		crossed_at;		/* the least that would be a new peak or reach
								 * the cap */
	TimestampTz exhausted_since;	/* 0 = not now */
	int32		cap;			/* max_size; 0 = unknown */
	int32		peak_in_xact;
	TimestampTz peak_in_xact_at;
	TimestampTz exhausted_until;	/* what is before is counted */
	uint64		exhausted_count;
	uint64		exhausted_time;
} PgpsActivity;

typedef struct PgpsActivityCopy
{
	int32		cap;
	bool		exhausted;		/* all that it may lend out are in a
								 * transaction */
	int32		peak_in_xact;
	TimestampTz peak_in_xact_at;
} PgpsActivityCopy;

extern void pgps_activity_init(PgpsActivity *activity, bool fresh);
extern void pgps_activity_cross(PgpsActivity *activity, int in_xact,
								TimestampTz now);
extern void pgps_activity_set_cap(PgpsActivity *activity, int32 cap,
								  TimestampTz now);
extern void pgps_activity_reset(PgpsActivity *activity, TimestampTz now);
extern void pgps_activity_copy(PgpsActivityCopy *copy, PgpsCounters *counters,
							   PgpsActivity *activity, TimestampTz now);
extern void pgps_activity_restore(PgpsActivity *activity,
								  const PgpsActivityCopy *copy,
								  const PgpsCounters *counters);

/*
 * What happens in every transaction is here, to be inlined.
 */

/* A connection enters a transaction. */
static inline void
pgps_activity_begin(PgpsActivity *activity, TimestampTz now)
{
	int			in_xact = pg_atomic_add_fetch_u32(&activity->in_xact, 1);

	if (unlikely(in_xact >= activity->crossed_at))
		pgps_activity_cross(activity, in_xact, now);
}

/* A connection leaves its transaction. */
static inline void
pgps_activity_end(PgpsActivity *activity, TimestampTz now)
{
	pg_atomic_fetch_sub_u32(&activity->in_xact, 1);
	if (unlikely(activity->exhausted_since != 0))
		pgps_activity_cross(activity, 0, now);
}

#endif							/* PGPS_ACTIVITY_H */
