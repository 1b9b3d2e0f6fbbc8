/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  What the server itself sees of an instance: how many are in a transaction,
 *	  peaks, exhaustion.
 *
 * How many transactions there were and how long they took is counted by each
 * backend for itself (backends.h).  Shared is only how many are in one now,
 * which peaks need.  The spinlock is taken only when that number passes the
 * peak or the cap.  Both directions go through cross(): it looks at the number
 * again under the spinlock, so that two backends that pass the cap at the same
 * time, one up and one down, leave a state that agrees with the number,
 * whatever their order.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "registry/activity.h"

/* Cap or peak are others.  Caller holds the spinlock. */
static void
set_crossed_at(PgpsActivity *activity)
{
	int32		new_peak = activity->peak_in_xact + 1;

	activity->crossed_at = activity->cap > 0 ? Min(activity->cap, new_peak) : new_peak;
}

/*
 * Nothing has been seen of the instance yet.  A "fresh" entry was never used;
 * else a reader may have its spinlock.  The generation is a new one, so that
 * nothing counts that was for the one before.
 */
void
pgps_activity_init(PgpsActivity *activity, bool fresh)
{
	if (fresh)
	{
		pg_atomic_init_u32(&activity->in_xact, 0);
		SpinLockInit(&activity->mutex);
	}
	pg_atomic_write_u32(&activity->in_xact, 0);
	activity->generation++;
	SpinLockAcquire(&activity->mutex);
	activity->cap = activity->peak_in_xact = 0;
	set_crossed_at(activity);
	activity->peak_in_xact_at = 0;
	activity->exhausted_since = activity->exhausted_until = 0;
	activity->exhausted_count = activity->exhausted_time = 0;
	SpinLockRelease(&activity->mutex);
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
		set_crossed_at(activity);
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
	set_crossed_at(activity);

	/* who begins a transaction sees the cap, or is seen here */
	pg_memory_barrier();
	cross(activity, pg_atomic_read_u32(&activity->in_xact), now);
	SpinLockRelease(&activity->mutex);
}

/*
 * Peaks and exhaustion start again; who is in a transaction stays in it.
 */
void
pgps_activity_reset(PgpsActivity *activity, TimestampTz now)
{
	SpinLockAcquire(&activity->mutex);

	/* who begins a transaction passes a peak of 0, or is seen here */
	activity->peak_in_xact = 0;
	set_crossed_at(activity);
	pg_memory_barrier();
	activity->peak_in_xact = pg_atomic_read_u32(&activity->in_xact);
	activity->peak_in_xact_at = now;
	set_crossed_at(activity);
	activity->exhausted_count = activity->exhausted_since != 0;
	activity->exhausted_time = 0;
	activity->exhausted_until = now;
	if (activity->exhausted_since != 0)
		activity->exhausted_since = now;
	SpinLockRelease(&activity->mutex);
}

/*
 * Copy what readers see, and count up the exhaustion in an instance's counters.
 * An interval that goes on counts up to now.
 */
void
pgps_activity_copy(PgpsActivityCopy *copy, PgpsCounters *counters,
				   PgpsActivity *activity, TimestampTz now)
{
	int64		count;
	int64		time;

	SpinLockAcquire(&activity->mutex);
	copy->cap = activity->cap;
	copy->exhausted = activity->exhausted_since != 0;
	copy->peak_in_xact = activity->peak_in_xact;
	copy->peak_in_xact_at = activity->peak_in_xact_at;
	count = activity->exhausted_count;
	time = activity->exhausted_time;
	if (activity->exhausted_since != 0)
		time += Max(now - activity->exhausted_since, 0);
	SpinLockRelease(&activity->mutex);
	pgps_set_count(counters, PGPS_EXHAUSTED_COUNT, count);
	pgps_set_count(counters, PGPS_EXHAUSTED_TIME, time);
}

/* Go on from what was saved.  Nobody else is there yet. */
void
pgps_activity_restore(PgpsActivity *activity, const PgpsActivityCopy *copy,
					  const PgpsCounters *counters)
{
	activity->exhausted_count = pgps_count(counters, PGPS_EXHAUSTED_COUNT, 0);
	activity->exhausted_time = pgps_count(counters, PGPS_EXHAUSTED_TIME, 0);
	activity->peak_in_xact = copy->peak_in_xact;
	activity->peak_in_xact_at = copy->peak_in_xact_at;
	set_crossed_at(activity);
}
