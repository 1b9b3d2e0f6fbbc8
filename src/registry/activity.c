/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  What the server itself counts of an instance: transactions, their times,
 *	  peaks, exhaustion.
 *
 * Every backend of an instance adds to its counters with atomics, without a
 * lock.  The spinlock is taken only when the number of connections in a
 * transaction passes the peak or the cap.  Both directions go through cross():
 * it looks at the number again under the spinlock, so that two backends that
 * pass the cap at the same time, one up and one down, leave a state that
 * agrees with the number, whatever their order.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "registry/activity.h"

/*-------------------------------------------------------------------------
 * Histogram
 *-------------------------------------------------------------------------
 */

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
 * exceed; -1 if there were none.
 */
double
pgps_percentile(const uint64 *histogram, double fraction)
{
	uint64		total = 0,
				sum = 0;
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		total += histogram[i];
	if (total == 0)
		return -1;
	for (i = 0; i < PGPS_XACT_BUCKETS - 1; i++)
	{
		sum += histogram[i];
		if (sum >= total * fraction)
			break;
	}
	return bucket_middle(i);
}

/*-------------------------------------------------------------------------
 * Events
 *-------------------------------------------------------------------------
 */

/* The entry is new: nothing has been seen of it. */
void
pgps_activity_init(PgpsActivity *activity)
{
	int			i;

	memset(activity, 0, sizeof(PgpsActivity));
	pg_atomic_init_u32(&activity->in_xact, 0);
	pg_atomic_init_u64(&activity->xacts, 0);
	pg_atomic_init_u64(&activity->total_xact_time, 0);
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		pg_atomic_init_u64(&activity->histogram[i], 0);
	SpinLockInit(&activity->mutex);
}

/*
 * So many connections are in a transaction: raise the peak, open or close the
 * interval of exhaustion.  Caller holds the spinlock.
 */
static void
cross(PgpsActivity *activity, int in_xact, TimestampTz now)
{
	if (in_xact > activity->peak_in_xact)
	{
		activity->peak_in_xact = in_xact;
		activity->peak_in_xact_at = now;
	}

	if (activity->cap > 0 && in_xact >= activity->cap)
	{
		if (activity->exhausted_since == 0)
		{
			activity->exhausted_since = Max(now, activity->exhausted_until);
			activity->exhausted_count++;
		}
	}
	else if (activity->exhausted_since != 0)
	{
		activity->exhausted_until = Max(now, activity->exhausted_since);
		activity->exhausted_time +=
			activity->exhausted_until - activity->exhausted_since;
		activity->exhausted_since = 0;
	}
}

/*
 * A peak or the cap may be crossed: at least so many connections are in a
 * transaction.
 */
void
pgps_activity_cross(PgpsActivity *activity, int in_xact, TimestampTz now)
{
	SpinLockAcquire(&activity->mutex);
	cross(activity, Max(in_xact, (int) pg_atomic_read_u32(&activity->in_xact)),
		  now);
	SpinLockRelease(&activity->mutex);
}

/* The instance's cap is new or has changed; 0 = unknown. */
void
pgps_activity_set_cap(PgpsActivity *activity, int32 cap, TimestampTz now)
{
	if (activity->cap == cap)
		return;
	SpinLockAcquire(&activity->mutex);
	activity->cap = cap;
	cross(activity, pg_atomic_read_u32(&activity->in_xact), now);
	SpinLockRelease(&activity->mutex);
}

/*
 * The collector saw so many connections in a transaction.  It sees those,
 * too, that wait for a lock before any hook has run; turns the recent
 * histogram when it is time.
 */
void
pgps_activity_note(PgpsActivity *activity, int in_xact, uint64 xacts,
				   TimestampTz now)
{
	uint64		ended = pg_atomic_read_u64(&activity->xacts) - xacts;
	int			i;

	/* those that have ended since are not there any more */
	in_xact = ended < (uint64) in_xact ? in_xact - (int) ended : 0;
	SpinLockAcquire(&activity->mutex);
	cross(activity, Max(in_xact, (int) pg_atomic_read_u32(&activity->in_xact)),
		  now);
	if (pgps_elapsed(activity->turned_at, now) >= PGPS_RECENT_PERIOD)
	{
		activity->turn = 1 - activity->turn;
		for (i = 0; i < PGPS_XACT_BUCKETS; i++)
			activity->base[activity->turn][i] =
				pg_atomic_read_u64(&activity->histogram[i]);
		activity->turned_at = now;
	}
	SpinLockRelease(&activity->mutex);
}

/* Counters and peaks start again; who is in a transaction stays in it. */
void
pgps_activity_reset(PgpsActivity *activity, TimestampTz now)
{
	int			i;

	pg_atomic_write_u64(&activity->xacts, 0);
	pg_atomic_write_u64(&activity->total_xact_time, 0);
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		pg_atomic_write_u64(&activity->histogram[i], 0);

	SpinLockAcquire(&activity->mutex);
	memset(activity->base, 0, sizeof(activity->base));
	activity->peak_in_xact = pg_atomic_read_u32(&activity->in_xact);
	activity->peak_in_xact_at = now;
	activity->exhausted_count = activity->exhausted_since != 0;
	activity->exhausted_time = 0;
	activity->exhausted_until = now;
	if (activity->exhausted_since != 0)
		activity->exhausted_since = now;
	SpinLockRelease(&activity->mutex);
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

/*
 * Put what is counted here into an instance's counters.  An interval of
 * exhaustion that goes on counts up to now.
 */
void
pgps_activity_count_up(PgpsCounters *counters, PgpsActivity *activity,
					   TimestampTz now)
{
	int64		count;
	int64		time;

	pgps_set_count(counters, PGPS_SERVER_XACTS,
				   pg_atomic_read_u64(&activity->xacts));
	pgps_set_count(counters, PGPS_XACT_TIME,
				   pg_atomic_read_u64(&activity->total_xact_time));
	SpinLockAcquire(&activity->mutex);
	count = activity->exhausted_count;
	time = activity->exhausted_time;
	if (activity->exhausted_since != 0)
		time += Max(now - activity->exhausted_since, 0);
	SpinLockRelease(&activity->mutex);
	pgps_set_count(counters, PGPS_EXHAUSTED_COUNT, count);
	pgps_set_count(counters, PGPS_EXHAUSTED_TIME, time);
}

/* Copy what readers see, with the histogram they ask for. */
void
pgps_activity_copy(PgpsActivityCopy *copy, PgpsActivity *activity,
				   PgpsHistograms histograms)
{
	uint32		base[PGPS_XACT_BUCKETS];
	int			i;

	/* the base first: what it is taken from only grows */
	SpinLockAcquire(&activity->mutex);
	copy->peak_in_xact = activity->peak_in_xact;
	copy->peak_in_xact_at = activity->peak_in_xact_at;
	if (histograms == PGPS_RECENT_XACTS)
		memcpy(base, activity->base[1 - activity->turn], sizeof(base));
	SpinLockRelease(&activity->mutex);
	if (histograms == PGPS_NO_HISTOGRAMS)
		return;
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
	{
		copy->histogram[i] = pg_atomic_read_u64(&activity->histogram[i]);
		if (histograms == PGPS_RECENT_XACTS)
			copy->histogram[i] = (uint32) copy->histogram[i] - base[i];
	}
}

/* Go on from what was saved.  Nobody else is there yet. */
void
pgps_activity_restore(PgpsActivity *activity, const PgpsActivityCopy *copy,
					  const PgpsCounters *counters)
{
	int			i;

	pg_atomic_write_u64(&activity->xacts,
						pgps_count(counters, PGPS_SERVER_XACTS, 0));
	pg_atomic_write_u64(&activity->total_xact_time,
						pgps_count(counters, PGPS_XACT_TIME, 0));
	activity->exhausted_count = pgps_count(counters, PGPS_EXHAUSTED_COUNT, 0);
	activity->exhausted_time = pgps_count(counters, PGPS_EXHAUSTED_TIME, 0);
	activity->peak_in_xact = copy->peak_in_xact;
	activity->peak_in_xact_at = copy->peak_in_xact_at;
	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
	{
		pg_atomic_write_u64(&activity->histogram[i], copy->histogram[i]);
		activity->base[0][i] = activity->base[1][i] = copy->histogram[i];
	}
}
