/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What the server itself counts of an instance: transactions, their times,
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
#include "port/pg_bitutils.h"
#include "storage/spin.h"

#include "registry/counters.h"

/*
 * Transaction times in microseconds: four buckets for each power of two, up
 * to 2^36 (19 hours).  The middle of a bucket is at most 1/8 off.
 */
#define PGPS_XACT_BUCKETS 144

/* how long a "recent" histogram is filled before it is turned over */
#define PGPS_RECENT_PERIOD (5 * USECS_PER_MINUTE)

/*
 * Shared, in the instance's entry.  The counters are written by the backends
 * attached to it, without a lock.
 */
typedef struct PgpsActivity
{
	pg_atomic_uint32 in_xact;	/* as events count it; readers look at the
								 * backends themselves */
	pg_atomic_uint64 xacts;
	pg_atomic_uint64 total_xact_time;
	pg_atomic_uint64 histogram[PGPS_XACT_BUCKETS];

	slock_t		mutex;			/* guards all that follows */
	int32		cap;			/* max_size; 0 = unknown */
	int32		peak_in_xact;
	TimestampTz peak_in_xact_at;
	TimestampTz exhausted_since;	/* 0 = not now */
	TimestampTz exhausted_until;	/* what is before is counted */
	uint64		exhausted_count;
	uint64		exhausted_time;
	uint32		base[2][PGPS_XACT_BUCKETS]; /* histogram as it was at the last
											 * two turns */
	int			turn;			/* index of the newer one */
	TimestampTz turned_at;
} PgpsActivity;

/* which transactions a copied histogram is of */
typedef enum PgpsHistograms
{
	PGPS_NO_HISTOGRAMS,
	PGPS_ALL_XACTS,
	PGPS_RECENT_XACTS			/* of the last 5 to 10 minutes */
} PgpsHistograms;

typedef struct PgpsActivityCopy
{
	int32		peak_in_xact;
	TimestampTz peak_in_xact_at;
	uint64		histogram[PGPS_XACT_BUCKETS];	/* only if asked for */
} PgpsActivityCopy;

extern void pgps_activity_init(PgpsActivity *activity);
extern void pgps_activity_cross(PgpsActivity *activity, int in_xact,
								TimestampTz now);
extern void pgps_activity_set_cap(PgpsActivity *activity, int32 cap,
								  TimestampTz now);
extern void pgps_activity_note(PgpsActivity *activity, int in_xact,
							   uint64 xacts, TimestampTz now);
extern void pgps_activity_reset(PgpsActivity *activity, TimestampTz now);
extern void pgps_activity_count_up(PgpsCounters *counters,
								   PgpsActivity *activity, TimestampTz now);
extern void pgps_activity_copy(PgpsActivityCopy *copy, PgpsActivity *activity,
							   PgpsHistograms histograms);
extern void pgps_activity_restore(PgpsActivity *activity,
								  const PgpsActivityCopy *copy,
								  const PgpsCounters *counters);

extern double pgps_percentile(const uint64 *histogram, double fraction);

/*
 * What happens in every transaction is here, to be inlined.
 */

/* Bucket of a transaction of so many microseconds, not negative */
static inline int
pgps_activity_bucket(int64 duration)
{
	int			msb;

	if (duration < 4)
		return duration;
	msb = pg_leftmost_one_pos64(duration);
	return Min((msb - 1) * 4 + ((duration >> (msb - 2)) & 3),
			   PGPS_XACT_BUCKETS - 1);
}

/* A connection enters a transaction. */
static inline void
pgps_activity_begin(PgpsActivity *activity, TimestampTz now)
{
	int			in_xact = pg_atomic_add_fetch_u32(&activity->in_xact, 1);

	if (unlikely(in_xact > activity->peak_in_xact ||
				 (activity->cap > 0 && in_xact >= activity->cap)))
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

/* Count a transaction of so many microseconds, not negative. */
static inline void
pgps_activity_count(PgpsActivity *activity, int64 duration)
{
	pg_atomic_fetch_add_u64(&activity->xacts, 1);
	pg_atomic_fetch_add_u64(&activity->total_xact_time, duration);
	pg_atomic_fetch_add_u64(&activity->histogram[pgps_activity_bucket(duration)], 1);
}

#endif							/* PGPS_ACTIVITY_H */
