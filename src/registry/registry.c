/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  Pools and their instances in shared memory: what is reported of them.
 *
 * Note about locking: to make, give up or re-attach an entry, or to change a
 * pool, one must hold the registry's LWLock exclusively; to look anything up,
 * at least in shared mode.  What an instance reported is guarded by the spinlock
 * of its entry; who holds the LWLock in shared mode may take it.  The numbers
 * of attached backends are atomic, because an exiting backend takes no LWLock;
 * an entry with attached backends is never given up.  Nothing that can raise,
 * allocate or be interrupted happens while the LWLock is held.
 *
 * Readers copy without the LWLock; what guards them is in copy.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/shmem.h"
#include "dialects/fields.h"
#include "dialects/pids.h"
#include "dialects/stats.h"
#include "registry/activity.h"
#include "registry/backends.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/entries.h"
#include "registry/registry.h"
#include "registry/space.h"

/* pools that are copied under one lock, so that nobody waits long for it */
#define BATCH 64

void
pgps_lock_registry(LWLockMode mode)
{
	pgps_acquire(PGPS_REGISTRY_LOCK, mode);
}

void
pgps_unlock_registry(void)
{
	pgps_release(PGPS_REGISTRY_LOCK);
}

/*-------------------------------------------------------------------------
 * Reports
 *-------------------------------------------------------------------------
 */

/*
 * Does it matter when the connections of an instance last did something?  It
 * says whether who does not tell reports by a timer, and whether those who wait
 * get nothing.
 */
static bool
asks_for_statement(const PgpsReport *report)
{
	return (report->source == PGPS_SOURCE_REPORT && report->stats->every == 0) ||
		pgps_get(&report->stats->values, PGPS_WAITING, 0) > 0;
}

/* Caller holds the lock at least in shared mode. */
static void
apply_report(int32 i, const PgpsReport *report, TimestampTz now)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	int32		attached = pgps_attached(entry);
	TimestampTz last_statement = attached > 0 && asks_for_statement(report) ?
		pgps_last_statement(i, attached) : 0;
	int32		cap;

	/* who does nothing but report is no connection of the pool */
	if (pgps_backend_instance() == i && pgps_backend_only_reports())
		attached--;
	SpinLockAcquire(&entry->mutex);
	pgps_instance_take_report(&entry->data, report, attached, last_statement,
							  now, pgps_registry->info.started_at);
	cap = pgps_instance_cap(&entry->data);
	SpinLockRelease(&entry->mutex);
	pgps_activity_set_cap(&entry->activity, cap, now);
	if (report->stats->nunmapped > 0)
		pg_atomic_fetch_add_u64(&pgps_registry->unmapped_keys,
								report->stats->nunmapped);
}

/*
 * Take a report.  Returns the instance; "own" is whether it has that row for
 * itself.
 */
int32
pgps_registry_report(const PgpsReport *report, TimestampTz now, bool *own)
{
	int32		pool;
	int32		i = PGPS_NONE;

	pgps_lock_registry(LW_SHARED);
	pool = pgps_find_pool(&report->key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, report->instance);
	if (i == PGPS_NONE)
	{
		pgps_unlock_registry();
		pgps_lock_registry(LW_EXCLUSIVE);
		pool = pgps_need_pool(&report->key, NameStr(report->usename),
							  NameStr(report->datname), false, now);
		i = pgps_need_instance(pool, report->instance, false, now);
	}
	apply_report(i, report, now);
	*own = !pgps_instance(i)->data.other;
	pgps_unlock_registry();
	if (report->stats->lent.reported || report->stats->idle.reported)
		pgps_backends_note_pids(i, &report->stats->lent, &report->stats->idle,
								now);
	if (!*own)
		pg_atomic_fetch_add_u64(&pgps_registry->overflowed, 1);
	return i;
}

/*
 * An instance says goodbye.  Returns whether it was there.  With connections
 * left, the row stays as what the server sees of it.
 */
bool
pgps_registry_forget(const PgpsPoolKey *key, const char *instance)
{
	int32		pool;
	int32		i = PGPS_NONE;

	pgps_lock_registry(LW_EXCLUSIVE);
	pool = pgps_find_pool(key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, instance);
	if (i != PGPS_NONE)
	{
		PgpsInstanceEntry *entry = pgps_instance(i);

		pgps_settle_departed();
		if (pg_atomic_read_u32(&entry->attached) == 0)
		{
			entry->data.said_goodbye = true;
			pgps_remove_instance(i);
		}
		else
		{
			PgpsCounters counters;
			PgpsCounters base;

			/* exiting backends still write here */
			SpinLockAcquire(&entry->mutex);
			pgps_change_begins(&pgps_instance_changes[i]);
			counters = pgps_take_reported_counters(&entry->data.counters);
			base = pgps_take_reported_counters(&entry->data.base);
			pgps_instance_forget(&entry->data);
			pgps_retire(pool, &counters, &base);
			pgps_change_ends(&pgps_instance_changes[i]);
			SpinLockRelease(&entry->mutex);
		}
	}
	pgps_unlock_registry();
	return i != PGPS_NONE;
}

/*
 * A pooler has answered and not listed those of its pools whose last report is
 * older.
 */
void
pgps_registry_unlisted(const char *pooler, TimestampTz answered_at)
{
	int32		i;

	pgps_lock_registry(LW_SHARED);
	for (i = 0; i < pgps_registry->instances.high_water; i++)
	{
		PgpsInstanceEntry *entry = pgps_instance(i);

		if (!pgps_instance_used(i) || entry->data.other ||
			entry->data.source != PGPS_SOURCE_POOLER ||
			entry->data.last_report >= answered_at ||
			strcmp(pgps_pools[entry->data.pool].data.key.name, pooler) != 0)
			continue;
		SpinLockAcquire(&entry->mutex);
		pgps_change_begins(&pgps_instance_changes[i]);
		pgps_instance_unlisted(&entry->data);
		pgps_change_ends(&pgps_instance_changes[i]);
		SpinLockRelease(&entry->mutex);
	}
	pgps_unlock_registry();
}

/*-------------------------------------------------------------------------
 * Readers; what else they get is in copy.c
 *-------------------------------------------------------------------------
 */

/*
 * Which counters did an instance report last?  The larger ones stay in
 * "counted".  False if it is not there or reported none.
 */
bool
pgps_registry_counted(const PgpsPoolKey *key, const char *instance,
					  PgpsValues *counted)
{
	int32		pool;
	int32		i = PGPS_NONE;
	bool		any = false;
	int			f;

	pgps_lock_registry(LW_SHARED);
	pool = pgps_find_pool(key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, instance);
	if (i != PGPS_NONE)
	{
		PgpsInstanceEntry *entry = pgps_instance(i);
		const PgpsValues *last = &entry->data.carry.last;

		SpinLockAcquire(&entry->mutex);
		for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
		{
			if (!pgps_known(last, f))
				continue;
			any = true;
			pgps_set(counted, f, Max(pgps_get(counted, f, 0), last->value[f]));
		}
		SpinLockRelease(&entry->mutex);
	}
	pgps_unlock_registry();
	return any;
}

/* The pool that a session is at, or PGPS_NO_POOL; read without a lock */
int32
pgps_pool_at(int procno)
{
	int32		i = pgps_instance_at(procno);

	return i == PGPS_NO_INSTANCE ? PGPS_NO_POOL : pgps_instance_pools[i] - 1;
}

/* The client backends alone, whatever they are at */
PgpsBackend *
pgps_registry_backends(int *nbackends)
{
	PgpsBackend *backends = palloc(MaxConnections * sizeof(PgpsBackend));
	TimestampTz now = GetCurrentTimestamp();
	int			procno,
				n = 0;

	for (procno = 0; procno < MaxConnections; procno++)
	{
		if (pgps_backend_copy(&backends[n], procno, now))
			n++;
	}
	*nbackends = n;
	return backends;
}

/* The pools alone, in the order of a copy */
PgpsPoolCopy *
pgps_registry_pools(int *npools)
{
	int32		end = pgps_registry->pools.high_water;
	PgpsPoolCopy *pools;
	int32		i,
				j;

	/* zeroed: no page faults under the lock */
	pools = palloc_extended(Max(end, 1) * sizeof(PgpsPoolCopy),
							MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	*npools = 0;
	for (i = 0; i < end; i += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		pgps_lock_registry(LW_SHARED);
		for (j = i; j < Min(i + BATCH, end); j++)
		{
			if (!pgps_pools[j].used)
				continue;
			pools[*npools].index = j;
			pools[(*npools)++].data = pgps_pools[j].data;
		}
		pgps_unlock_registry();
	}
	return pools;
}

/* Facts of the registry as a whole */
void
pgps_registry_info(PgpsRegistryInfo *info)
{
	SpinLockAcquire(&pgps_registry->mutex);
	*info = pgps_registry->info;
	SpinLockRelease(&pgps_registry->mutex);
	info->instances_used = Max(pgps_registry->instances.used -
							   pgps_registry->nother_instances, 0);
	info->overflowed = pg_atomic_read_u64(&pgps_registry->overflowed);
	info->unmapped_keys = pg_atomic_read_u64(&pgps_registry->unmapped_keys);
	info->dropped = pg_atomic_read_u64(&pgps_registry->dropped);
}
