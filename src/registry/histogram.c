/*-------------------------------------------------------------------------
 *
 * histogram.c
 *	  How many transactions took how long.
 *
 * Arithmetic on copies, or in the registry under the lock of the caller.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "registry/histogram.h"

/* 0.26 ms, 1 ms, 4 ms ... 4.5 min, nearly */
const int	pgps_xact_limits[PGPS_XACT_LIMITS] = {
	8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
};

/* Count all of a histogram in its ranges. */
void
pgps_ranges_count(PgpsXactRanges *sum, const PgpsHistogram *more)
{
	int			bucket = 0;
	int			i;

	for (i = 0; i <= PGPS_XACT_LIMITS; i++)
	{
		int			end = i == PGPS_XACT_LIMITS ? PGPS_XACT_BUCKETS :
			pgps_xact_bucket(INT64CONST(1) << pgps_xact_limits[i]);

		for (; bucket < end; bucket++)
			sum->count[i] += more->count[bucket];
	}
}

void
pgps_ranges_add(PgpsXactRanges *sum, const PgpsXactRanges *more)
{
	int			i;

	for (i = 0; i <= PGPS_XACT_LIMITS; i++)
		sum->count[i] += more->count[i];
}

void
pgps_histogram_add(PgpsHistogram *sum, const PgpsHistogram *more)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		sum->count[i] += more->count[i];
}

/* A period is over: what was seen is what the next ones are counted from. */
void
pgps_xact_times_turn(PgpsXactTimes *times, const PgpsHistogram *seen)
{
	int			i;

	times->turn = 1 - times->turn;
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		times->base[times->turn][i] = seen->count[i];
}

/*
 * Leave what was there at a turn out.  Its counts have 32 bits; what became
 * less meanwhile is 0.
 */
void
pgps_histogram_subtract(PgpsHistogram *recent, const uint32 *base)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
	{
		int32		more = (int32) ((uint32) recent->count[i] - base[i]);

		recent->count[i] = Max(more, 0);
	}
}

/* Middle of a bucket, microseconds */
static double
bucket_middle(int bucket)
{
	int			msb = bucket / 4 + 1;
	double		width;

	if (bucket < 4)
		return bucket;
	width = (double) (UINT64CONST(1) << (msb - 2));
	return (4 + bucket % 4) * width + (width - 1) / 2;
}

/*
 * The time in microseconds that a fraction of all transactions did not
 * exceed; -1 if there were none, or nobody asked for them (NULL).
 */
double
pgps_percentile(const PgpsHistogram *histogram, double fraction)
{
	uint64		total = 0,
				sum = 0;
	int			i;

	if (histogram == NULL)
		return -1;
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		total += histogram->count[i];
	if (total == 0)
		return -1;
	for (i = 0; i < PGPS_XACT_BUCKETS - 1; i++)
	{
		sum += histogram->count[i];
		if (sum >= total * fraction)
			break;
	}
	return bucket_middle(i);
}
