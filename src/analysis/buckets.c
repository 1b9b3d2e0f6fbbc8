/*-------------------------------------------------------------------------
 *
 * buckets.c
 *	  Buckets of history: when each begins, and how it is kept in a ring.
 *
 * What is kept is smaller than what is read.  The caller holds the lock of the
 * rings.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "analysis/history.h"
#include "analysis/rings.h"
#include "base/clock.h"

/* of a counter that was not reported */
#define UNKNOWN_COUNT PG_UINT32_MAX

/* In microseconds */
int64
pgps_period_length(PgpsPeriod period)
{
	return period == PGPS_MINUTES ? USECS_PER_MINUTE : 10 * USECS_PER_MINUTE;
}

/* How many of them are kept */
int
pgps_period_count(PgpsPeriod period)
{
	return period == PGPS_MINUTES ? PGPS_NMINUTES : PGPS_NTEN_MINUTES;
}

/* Start of the bucket that a moment belongs to */
TimestampTz
pgps_bucket_start(PgpsPeriod period, TimestampTz now)
{
	return now - pgps_floor_mod(now, pgps_period_length(period));
}

/* Place in the ring of the bucket with this start */
int
pgps_bucket_place(PgpsPeriod period, TimestampTz start)
{
	return pgps_floor_mod(start / pgps_period_length(period),
						  pgps_period_count(period));
}

static uint32
keep_count(int64 count)
{
	return count < 0 ? UNKNOWN_COUNT : Min(count, UNKNOWN_COUNT - 1);
}

static void
pack(PgpsKept *kept, const PgpsBucket *bucket)
{
	int			c;

	kept->minute = bucket->start / USECS_PER_MINUTE;
	kept->instances = bucket->instances;
	kept->min_connections = bucket->min_connections;
	kept->max_connections = bucket->max_connections;
	kept->min_checked_out = bucket->min_checked_out;
	kept->max_checked_out = bucket->max_checked_out;
	kept->max_in_xact = bucket->max_in_xact;
	kept->max_waiting = bucket->max_waiting;
	kept->max_used = bucket->max_used;
	for (c = 0; c < PGPS_FIRST_TIME; c++)
		kept->count[c] = keep_count(bucket->count[c]);
	for (; c < PGPS_COUNTS; c++)
		kept->time[c - PGPS_FIRST_TIME] = bucket->count[c];
	kept->load = bucket->load;
	kept->cause = bucket->cause;
}

static void
unpack(PgpsBucket *bucket, const PgpsKept *kept)
{
	int			c;

	bucket->start = kept->minute * USECS_PER_MINUTE;
	bucket->instances = kept->instances;
	bucket->min_connections = kept->min_connections;
	bucket->max_connections = kept->max_connections;
	bucket->min_checked_out = kept->min_checked_out;
	bucket->max_checked_out = kept->max_checked_out;
	bucket->max_in_xact = kept->max_in_xact;
	bucket->max_waiting = kept->max_waiting;
	bucket->max_used = kept->max_used;
	for (c = 0; c < PGPS_FIRST_TIME; c++)
		bucket->count[c] = kept->count[c] == UNKNOWN_COUNT ? -1 :
			(int64) kept->count[c];
	for (; c < PGPS_COUNTS; c++)
		bucket->count[c] = kept->time[c - PGPS_FIRST_TIME];
	bucket->load = kept->load;
	bucket->cause = kept->cause;
}

/* Put a bucket in its place in a ring. */
void
pgps_bucket_put(PgpsRing *ring, PgpsPeriod period, const PgpsBucket *bucket)
{
	int			place = pgps_bucket_place(period, bucket->start);
	PgpsKeptLong *to = &ring->ten_minutes[place];

	if (period == PGPS_MINUTES)
	{
		pack(&ring->minutes[place], bucket);
		return;
	}
	pack(&to->kept, bucket);
	to->watched = Min(bucket->watched, PG_UINT32_MAX);
	to->max_lent = bucket->max_lent;
	memcpy(to->busiest, bucket->busiest, sizeof(to->busiest));
}

/* Get the bucket with this start; false if it is not in the ring. */
bool
pgps_bucket_get(PgpsBucket *bucket, const PgpsRing *ring, PgpsPeriod period,
				TimestampTz start)
{
	int			place = pgps_bucket_place(period, start);
	const PgpsKeptLong *from = &ring->ten_minutes[place];
	const PgpsKept *kept = period == PGPS_MINUTES ? &ring->minutes[place] :
		&from->kept;

	if (kept->minute == 0 || kept->minute * USECS_PER_MINUTE != start)
		return false;
	unpack(bucket, kept);
	if (period == PGPS_MINUTES)
	{
		bucket->watched = 0;
		bucket->max_lent = 0;
		memset(bucket->busiest, 0, sizeof(bucket->busiest));
		return true;
	}
	bucket->watched = from->watched;
	bucket->max_lent = from->max_lent;
	memcpy(bucket->busiest, from->busiest, sizeof(bucket->busiest));
	return true;
}
