/*-------------------------------------------------------------------------
 *
 * histogram.h
 *	  How many transactions took how long.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_HISTOGRAM_H
#define PGPS_HISTOGRAM_H

#include "datatype/timestamp.h"
#include "port/pg_bitutils.h"

/*
 * Transaction times in microseconds: four buckets for each power of two, up
 * to 2^36 (19 hours).  The middle of a bucket is at most 1/8 off.
 */
#define PGPS_XACT_BUCKETS 144

/* how long a "recent" histogram is filled before it is turned over */
#define PGPS_RECENT_PERIOD (5 * USECS_PER_MINUTE)

typedef struct PgpsHistogram
{
	uint64		count[PGPS_XACT_BUCKETS];
} PgpsHistogram;

/*
 * The same in few ranges, for exporters: up to each of pgps_xact_limits, and
 * what took longer.
 */
#define PGPS_XACT_LIMITS 11

typedef struct PgpsXactRanges
{
	int64		count[PGPS_XACT_LIMITS + 1];
} PgpsXactRanges;

/* powers of two of a microsecond, which are where buckets end */
extern const int pgps_xact_limits[PGPS_XACT_LIMITS];

/*
 * Of an instance: all transactions, and how many there were at the last two
 * turns.  Shared, guarded by the spinlock of its entry.
 */
typedef struct PgpsXactTimes
{
	PgpsHistogram all;			/* but for those that are in slots, see
								 * backends.h */
	uint32		base[2][PGPS_XACT_BUCKETS];
	int			turn;			/* index of the newer one */
} PgpsXactTimes;

/* which transactions a copied histogram is of */
typedef enum PgpsHistograms
{
	PGPS_NO_HISTOGRAMS,
	PGPS_ALL_XACTS,
	PGPS_RECENT_XACTS			/* of the last 5 to 10 minutes */
} PgpsHistograms;

extern void pgps_ranges_count(PgpsXactRanges *sum,
							  const PgpsHistogram *more);
extern void pgps_ranges_add(PgpsXactRanges *sum, const PgpsXactRanges *more);
extern void pgps_histogram_add(PgpsHistogram *sum, const PgpsHistogram *more);
extern void pgps_xact_times_turn(PgpsXactTimes *times,
								 const PgpsHistogram *seen);
extern void pgps_histogram_subtract(PgpsHistogram *recent, const uint32 *base);
extern double pgps_percentile(const PgpsHistogram *histogram, double fraction);

/*
 * Bucket of a transaction of so many microseconds, not negative: the two bits
 * behind the first one, and where that is.
 */
static inline int64
pgps_xact_bucket(int64 duration)
{
	int64		shift = pg_leftmost_one_pos64(duration | 4) - 2;

	return Min(4 * shift + (duration >> shift), PGPS_XACT_BUCKETS - 1);
}

#endif							/* PGPS_HISTOGRAM_H */
