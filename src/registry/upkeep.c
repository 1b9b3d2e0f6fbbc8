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

#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/settings.h"
#include "registry/entries.h"

/* a pool without instances is kept this long (microseconds) */
#define POOL_RETENTION (7 * USECS_PER_DAY)

/* entries given up under one lock, so that nobody waits long for it */
#define BATCH 32

/* Is an instance to be given up?  Never one with a connection. */
static bool
is_expired(PgpsInstanceEntry *entry, TimestampTz now)
{
	if (!entry->used || pgps_attached(entry) > 0)
		return false;
	return entry->data.said_goodbye ||
		entry->data.last_seen + pgps_expire_after * USECS_PER_SEC < now;
}

static bool
is_expired_pool(const PgpsPoolEntry *entry, TimestampTz now)
{
	return entry->used && entry->data.instances == 0 &&
		entry->data.last_seen + POOL_RETENTION < now;
}

/* Give up those of some entries that really are expired. */
static void
expire_batch(const int32 *batch, int n, bool of_pools, TimestampTz now)
{
	int			i;

	pgps_lock_registry(LW_EXCLUSIVE);
	pgps_settle_departed();
	for (i = 0; i < n; i++)
	{
		if (of_pools && is_expired_pool(&pgps_pools[batch[i]], now))
			pgps_remove_pool(batch[i]);
		if (!of_pools && is_expired(&pgps_instances[batch[i]], now) &&
			pg_atomic_read_u32(&pgps_instances[batch[i]].attached) == 0)
			pgps_remove_instance(batch[i]);
	}
	pgps_unlock_registry();
}

/*
 * Give up instances that were not heard of for expire_after.  Their counters
 * stay in their pool.  Which ones might be is found without a lock: mostly
 * there are none.
 */
void
pgps_registry_expire(TimestampTz now)
{
	int32		batch[BATCH];
	int			n = 0;
	int32		i;

	for (i = 0; i < pgps_registry->instances.high_water; i++)
	{
		if (is_expired(&pgps_instances[i], now))
			batch[n++] = i;
		if (n == BATCH)
		{
			expire_batch(batch, n, false, now);
			n = 0;
		}
	}
	if (n > 0)
		expire_batch(batch, n, false, now);
	for (i = n = 0; i < pgps_registry->pools.high_water && n < BATCH; i++)
	{
		if (is_expired_pool(&pgps_pools[i], now))
			batch[n++] = i;
	}
	if (n > 0)
		expire_batch(batch, n, true, now);
}

/*
 * Remember a judgement, so that its age is known.  The entry may have changed
 * hands since it was judged: then it does not matter.
 */
void
pgps_registry_note_status(const PgpsInstanceCopy *judged, PgpsStatus status,
						  TimestampTz since)
{
	PgpsInstanceEntry *entry = &pgps_instances[judged->index];

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (entry->used && entry->data.first_seen == judged->data.first_seen &&
		entry->data.last_report == judged->data.last_report)
	{
		entry->data.status = status;
		entry->data.status_since = since;
	}
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/*
 * The collector saw which pooler an instance comes through; empty = none.
 */
void
pgps_registry_note_via(const PgpsInstanceCopy *seen, const char *via)
{
	PgpsInstanceEntry *entry = &pgps_instances[seen->index];

	pgps_lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (entry->used && entry->data.first_seen == seen->data.first_seen)
		strlcpy(entry->data.via, via, PGPS_POOL_LEN);
	SpinLockRelease(&entry->mutex);
	pgps_unlock_registry();
}

/*
 * The collector saw so many connections in a transaction.  Events cannot see
 * those that wait for a lock before any hook has run.
 */
void
pgps_registry_note_in_xact(const PgpsInstanceCopy *seen, int in_xact,
						   TimestampTz now)
{
	PgpsInstanceEntry *entry = &pgps_instances[seen->index];

	pgps_lock_registry(LW_SHARED);
	if (entry->used && entry->data.first_seen == seen->data.first_seen)
		pgps_activity_note(&entry->activity, in_xact,
						   pgps_count(&seen->data.counters, PGPS_SERVER_XACTS, 0), now);
	pgps_unlock_registry();
}

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

		data->peak_instances = Max(data->peak_instances, live);
		today.lent = Max(today.lent, lent);
		today.committed = Max(today.committed, committed);
		data->week[pgps_floor_mod(today.day, PGPS_DAYS)] = today;
	}
	pgps_unlock_registry();
}

void
pgps_registry_note_pass(TimestampTz now, PgpsLimitStatus server)
{
	SpinLockAcquire(&pgps_registry->mutex);
	pgps_registry->info.last_pass = now;
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
