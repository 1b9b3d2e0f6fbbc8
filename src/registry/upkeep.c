/*-------------------------------------------------------------------------
 *
 * upkeep.c
 *	  What the collector does to the registry: expiry, what it remembers.
 *
 * Same rules of locking as in registry.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/settings.h"
#include "base/text.h"
#include "registry/activity.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/space.h"
#include "registry/status.h"

/* a pool without instances is kept this long (microseconds) */
#define POOL_RETENTION (7 * USECS_PER_DAY)

/* entries given up under one lock, so that nobody waits long for it */
#define BATCH 32

/* Is an instance to be given up, if it has no connection? */
bool
pgps_instance_expires(const PgpsInstance *data, TimestampTz now)
{
	return data->said_goodbye ||
		data->last_seen + pgps_expire_after * USECS_PER_SEC < now;
}

static bool
is_expired_pool(const PgpsPoolEntry *entry, TimestampTz now)
{
	return entry->used && entry->data.instances == 0 &&
		entry->data.last_seen + POOL_RETENTION < now;
}

/*
 * Give up those of some instances that really are expired, never one with a
 * connection.  Their counters stay in their pool.
 */
void
pgps_registry_expire(const int32 *instances, int n, TimestampTz now)
{
	int			i,
				j;

	for (i = 0; i < n; i += BATCH)
	{
		pgps_lock_registry(LW_EXCLUSIVE);
		pgps_settle_departed();
		for (j = i; j < Min(i + BATCH, n); j++)
		{
			PgpsInstanceEntry *entry = pgps_instance(instances[j]);

			if (pgps_instance_used(instances[j]) &&
				pg_atomic_read_u32(&entry->attached) == 0 &&
				pgps_instance_expires(&entry->data, now))
				pgps_remove_instance(instances[j]);
		}
		pgps_unlock_registry();
	}
}

/*
 * Give up instances without a connection beyond those that are to be kept: as
 * many at once as connections have gone.
 */
void
pgps_registry_trim(TimestampTz now)
{
	bool		more = true;

	while (more)
	{
		int			i;

		pgps_lock_registry(LW_EXCLUSIVE);
		pgps_settle_departed();
		for (i = 0; i < BATCH && more; i++)
			more = pgps_trim_instance(now);
		pgps_unlock_registry();
	}
}

/*
 * Give up pools that have had no instance for long.  Which ones might be is
 * found without a lock: mostly there are none.
 */
void
pgps_registry_expire_pools(TimestampTz now)
{
	int32		batch[BATCH];
	int			n = 0;
	int32		i;

	for (i = 0; i < pgps_registry->pools.high_water && n < BATCH; i++)
	{
		if (is_expired_pool(&pgps_pools[i], now))
			batch[n++] = i;
	}
	if (n == 0)
		return;
	pgps_lock_registry(LW_EXCLUSIVE);
	for (i = 0; i < n; i++)
	{
		if (is_expired_pool(&pgps_pools[batch[i]], now))
			pgps_remove_pool(batch[i]);
	}
	pgps_unlock_registry();
}

/*
 * Is that still the instance that was copied?  The entry may have changed hands
 * since: then what was made of it does not matter.  Caller holds the lock.
 */
static bool
is_same(const PgpsInstanceCopy *copy)
{
	const PgpsInstanceEntry *entry = pgps_instance(copy->index);

	return pgps_instance_used(copy->index) &&
		entry->data.pool == copy->data.pool &&
		entry->data.first_seen == copy->data.first_seen;
}

/* Remember a judgement, so that its age is known. */
void
pgps_registry_note_status(const PgpsInstanceCopy *judged, PgpsStatus status,
						  TimestampTz since)
{
	PgpsInstanceEntry *entry = pgps_instance(judged->index);

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (is_same(judged) && entry->data.last_report == judged->data.last_report)
	{
		entry->data.status = status;
		entry->data.status_since = since;
	}
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/* The collector found out that it uses connections of another process. */
void
pgps_registry_note_fork(const PgpsInstanceCopy *seen)
{
	PgpsInstanceEntry *entry = pgps_instance(seen->index);

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (is_same(seen))
		entry->data.fork_shared = true;
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/*
 * The collector saw which pooler an instance comes through; empty = none.
 */
void
pgps_registry_note_via(const PgpsInstanceCopy *seen, const char *via)
{
	PgpsInstanceEntry *entry = pgps_instance(seen->index);

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (is_same(seen))
		strlcpy(entry->data.via, via, PGPS_POOL_LEN);
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/*
 * The collector saw so many connections in a transaction at once, of which the
 * newest began then.  It sees those, too, that wait for a lock before any hook
 * has run, which events cannot.  If all are in use they have been since the
 * newest began, not since somebody looked.  After a reset, what was seen before
 * it means nothing.
 */
void
pgps_registry_note_in_xact(const PgpsInstanceCopy *seen, int in_xact,
						   TimestampTz newest, TimestampTz now)
{
	PgpsInstanceEntry *entry = pgps_instance(seen->index);

	/* nothing would change */
	if (!seen->activity.exhausted && in_xact <= seen->activity.peak_in_xact &&
		(seen->activity.cap <= 0 || in_xact < seen->activity.cap))
		return;
	pgps_lock_registry(LW_SHARED);
	if (is_same(seen) && entry->activity.generation == seen->generation)
		pgps_activity_cross(&entry->activity, in_xact,
							seen->activity.cap > 0 &&
							in_xact >= seen->activity.cap ? newest : now);
	pgps_unlock_registry();
}

/*-------------------------------------------------------------------------
 * Recent transactions
 *-------------------------------------------------------------------------
 */

/* Is it time to take the histograms as what recent ones are counted from? */
bool
pgps_registry_turn_is_due(TimestampTz now)
{
	return pgps_elapsed(pgps_registry->turned_at, now) >= PGPS_RECENT_PERIOD;
}

/* Take that of one instance, which was copied with its histogram. */
void
pgps_registry_turn(const PgpsInstanceCopy *seen)
{
	PgpsInstanceEntry *entry = pgps_instance(seen->index);

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (is_same(seen) && entry->activity.generation == seen->generation)
		pgps_xact_times_turn(&pgps_xact_times[seen->index], seen->histogram);
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/* All have been taken. */
void
pgps_registry_turned(TimestampTz now)
{
	pgps_registry->turned_at = now;
}

/*-------------------------------------------------------------------------
 * Pools
 *-------------------------------------------------------------------------
 */

static int32
day_of(TimestampTz now)
{
	return (now - pgps_floor_mod(now, USECS_PER_DAY)) / USECS_PER_DAY;
}

/* The most of the current day so far */
PgpsDay
pgps_today(const PgpsPool *pool, TimestampTz now)
{
	PgpsDay		nothing = {day_of(now), 0, 0};
	const PgpsDay *today = &pool->week[pgps_floor_mod(day_of(now), PGPS_DAYS)];

	return today->day == day_of(now) ? *today : nothing;
}

/* The most of the last days, the current one included */
PgpsDay
pgps_week(const PgpsPool *pool, TimestampTz now)
{
	PgpsDay		most = {day_of(now), 0, 0};
	int			i;

	for (i = 0; i < PGPS_DAYS; i++)
	{
		const PgpsDay *day = &pool->week[i];

		if (day->day > day_of(now) - PGPS_DAYS)
		{
			most.lent = Max(most.lent, day->lent);
			most.committed = Max(most.committed, day->committed);
		}
	}
	return most;
}

/* Raise a pool's peaks to what was just seen. */
void
pgps_registry_note_peaks(const PgpsPoolCopy *seen, int live, int lent,
						 int64 committed, TimestampTz now)
{
	PgpsPool   *data = &pgps_pools[seen->index].data;

	pgps_lock_registry(LW_EXCLUSIVE);
	if (pgps_pools[seen->index].used && data->first_seen == seen->data.first_seen)
	{
		PgpsDay		today = pgps_today(data, now);

		pgps_change_begins(&pgps_pool_changes[seen->index]);
		data->peak_instances = Max(data->peak_instances, live);
		today.lent = Max(today.lent, lent);
		today.committed = Max(today.committed, committed);
		data->week[pgps_floor_mod(today.day, PGPS_DAYS)] = today;
		pgps_change_ends(&pgps_pool_changes[seen->index]);
	}
	pgps_unlock_registry();
}

void
pgps_registry_note_pass(TimestampTz now, PgpsLimitStatus server,
						TimestampTz stopped_from, TimestampTz stopped_until)
{
	SpinLockAcquire(&pgps_registry->mutex);
	pgps_registry->info.last_pass = now;
	pgps_registry->info.stopped_from = stopped_from;
	pgps_registry->info.stopped_until = stopped_until;
	if (pgps_registry->info.server_status != server ||
		pgps_registry->info.server_status_since == 0)
	{
		pgps_registry->info.server_status = server;
		pgps_registry->info.server_status_since = now;
	}
	SpinLockRelease(&pgps_registry->mutex);
}

void
pgps_registry_note_collector(int pid)
{
	SpinLockAcquire(&pgps_registry->mutex);
	pgps_registry->info.collector_pid = pid;
	SpinLockRelease(&pgps_registry->mutex);
}
