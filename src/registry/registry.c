/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  Pools and their instances in shared memory: what happens to them.
 *
 * Note about locking: to make, give up or re-attach an entry, or to change a
 * pool, one must hold the registry's LWLock exclusively; to look anything up,
 * at least in shared mode.  What an instance reported is guarded by the spinlock
 * of its entry; who holds the LWLock in shared mode may take it.  The numbers
 * of attached backends are atomic, because an exiting backend takes no LWLock;
 * an entry with attached backends is never given up.  Nothing that can raise,
 * allocate or be interrupted happens while the LWLock is held.
 *
 * A copy for readers is made under one shared lock: an instance that expires
 * while somebody reads is either still there or already in its pool's retired
 * counters, never in both or neither.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/shmem.h"
#include "registry/entries.h"

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

/* Caller holds the lock at least in shared mode. */
static void
apply_report(int32 i, const PgpsReport *report, TimestampTz now)
{
	PgpsInstanceEntry *entry = &pgps_instances[i];
	int32		attached = pgps_attached(entry);
	int32		cap;

	/* who does nothing but report is no connection of the pool */
	if (pgps_backend_instance() == i && pgps_backend_only_reports())
		attached--;
	SpinLockAcquire(&entry->mutex);
	pgps_instance_take_report(&entry->data, report, attached, now,
							  pgps_registry->info.started_at);
	cap = pgps_instance_cap(&entry->data);
	SpinLockRelease(&entry->mutex);
	pgps_activity_set_cap(&entry->activity, cap, now);
	if (report->stats->lent.reported || report->stats->idle.reported)
		pgps_backends_note_pids(i, &report->stats->lent, &report->stats->idle,
								now);

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
	*own = !pgps_instances[i].data.other;
	pgps_unlock_registry();
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
		PgpsInstance *data = &pgps_instances[i].data;

		pgps_settle_departed();
		if (pg_atomic_read_u32(&pgps_instances[i].attached) == 0)
			pgps_remove_instance(i);
		else
		{
			PgpsCounters counters;
			PgpsCounters base;

			/* exiting backends still write here */
			SpinLockAcquire(&pgps_instances[i].mutex);
			counters = pgps_take_reported_counters(&data->counters);
			base = pgps_take_reported_counters(&data->base);
			pgps_instance_forget(data);
			SpinLockRelease(&pgps_instances[i].mutex);
			pgps_retire(&pgps_pools[pool].data, &counters, &base);
		}
	}
	pgps_unlock_registry();
	return i != PGPS_NONE;
}

/*
 * Is a pool meant by name and role?  NULL means any; of a dropped role only
 * the name is known.
 */
static bool
is_pool_meant(const PgpsPool *data, const char *pool, const char *usename,
		 Oid roleid)
{
	if (pool != NULL && strcmp(pool, data->key.name) != 0)
		return false;
	if (usename == NULL)
		return true;
	return OidIsValid(roleid) ? data->key.roleid == roleid :
		strcmp(usename, NameStr(data->usename)) == 0;
}

/*
 * Counters and peaks start again: of one pool, of one role (its oid, if it
 * still exists), or of everything.  Returns the number of pools this was
 * about.
 */
int
pgps_registry_reset(const char *pool, const char *usename, Oid roleid)
{
	TimestampTz now = GetCurrentTimestamp();
	int			meant = 0;
	int32		i;

	pgps_lock_registry(LW_EXCLUSIVE);
	for (i = 0; i < pgps_registry->pools.high_water; i++)
	{
		PgpsPool   *data = &pgps_pools[i].data;

		if (!pgps_pools[i].used || !is_pool_meant(data, pool, usename, roleid))
			continue;
		meant++;
		pgps_counters_reset(&data->retired);
		pgps_counters_reset(&data->base);
		data->peak_connections = pg_atomic_read_u32(&pgps_pools[i].attached);
		data->peak_connections_at = now;
		data->peak_instances = 0;
		memset(data->week, 0, sizeof(data->week));
	}
	for (i = 0; i < pgps_registry->instances.high_water; i++)
	{
		PgpsInstanceEntry *entry = &pgps_instances[i];

		if (!entry->used ||
			!is_pool_meant(&pgps_pools[entry->data.pool].data, pool, usename,
					  roleid))
			continue;
		SpinLockAcquire(&entry->mutex);
		pgps_counters_reset(&entry->data.counters);
		pgps_counters_reset(&entry->data.base);
		entry->data.carry.dropped = entry->data.carry.held = 0;
		entry->data.fork_shared = false;
		SpinLockRelease(&entry->mutex);
		pgps_activity_reset(&entry->activity, now);
	}
	if (pool == NULL && usename == NULL)
	{
		pg_atomic_write_u64(&pgps_registry->overflowed, 0);
		pg_atomic_write_u64(&pgps_registry->unmapped_keys, 0);
		pg_atomic_write_u64(&pgps_registry->dropped, 0);
		pgps_peaks_reset(now);
		SpinLockAcquire(&pgps_registry->mutex);
		pgps_registry->info.stats_reset = now;
		SpinLockRelease(&pgps_registry->mutex);
	}
	pgps_unlock_registry();
	return meant;
}

/*-------------------------------------------------------------------------
 * Connections
 *-------------------------------------------------------------------------
 */

/*
 * Take this session off an instance.  That it had a transaction stays known
 * there.  The instance's count goes last: until then the entry cannot be
 * given up.
 */
static void
detach(int32 i, TimestampTz last_xact)
{
	PgpsInstanceEntry *entry = &pgps_instances[i];

	SpinLockAcquire(&entry->mutex);
	entry->data.last_xact = Max(entry->data.last_xact, last_xact);
	SpinLockRelease(&entry->mutex);
	pg_atomic_fetch_sub_u32(&pgps_pools[entry->data.pool].attached, 1);
	pgps_instance_detach(i);
}

/*
 * Move this session, and its transaction if it is in one, to an instance; it
 * begins there later.  Caller holds the lock exclusively.
 */
static void
attach(int32 i, bool in_xact, TimestampTz now)
{
	int32		old = pgps_backend_instance();
	PgpsPoolEntry *pool = &pgps_pools[pgps_instances[i].data.pool];
	int32		connections;

	if (old == i)
		return;
	if (old != PGPS_NO_INSTANCE)
	{
		/* first: when nobody is attached, the entry may become another's */
		if (in_xact)
			pgps_activity_end(&pgps_instances[old].activity, now);
		detach(old, pgps_backend_last_xact());
	}

	pgps_instance_attach(i);
	connections = pg_atomic_add_fetch_u32(&pool->attached, 1);
	if (connections > pool->data.peak_connections)
	{
		pool->data.peak_connections = connections;
		pool->data.peak_connections_at = now;
	}
	pgps_backend_set_instance(i);
}

/* This session connects, but belongs to no pool that is tracked. */
void
pgps_registry_connect(Oid roleid, Oid dbid)
{
	pgps_lock_registry(LW_EXCLUSIVE);
	pgps_peaks_connect(roleid, dbid, GetCurrentTimestamp());
	pgps_unlock_registry();
}

/*
 * Put this session where it belongs by its label or by discovery.  "connect"
 * is false when it was there before, under this label or another; if it moves,
 * a transaction that it is in ends there.  Returns where its transactions
 * count.
 */
PgpsActivity *
pgps_registry_join(const PgpsIdentity *identity, bool connect, bool in_xact)
{
	PgpsPoolKey key = {
		.roleid = identity->roleid,
		.dbid = identity->dbid,
	};
	TimestampTz now = GetCurrentTimestamp();
	PgpsInstance *data;
	int32		cap;
	int32		pool;
	int32		i;

	StaticAssertStmt(sizeof(key.name) == sizeof(identity->pool),
					 "names have one length");
	memcpy(key.name, identity->pool, sizeof(key.name));

	pgps_lock_registry(LW_EXCLUSIVE);
	pool = pgps_need_pool(&key, NameStr(identity->usename),
						  NameStr(identity->datname), !identity->labelled, now);
	i = pgps_need_instance(pool, identity->instance, true, now);
	attach(i, in_xact, now);
	if (connect)
	{
		pgps_peaks_connect(identity->roleid, identity->dbid, now);
		pgps_note_seen(&pgps_pools[pool].data, identity->client_addr, now);
	}

	data = &pgps_instances[i].data;
	SpinLockAcquire(&pgps_instances[i].mutex);
	if (identity->labelled)
	{
		data->source = Max(data->source, PGPS_SOURCE_LABEL);
		data->labelled = true;
		data->label = identity->cap;
		if (identity->app_version[0] != '\0')
			memcpy(data->app_version, identity->app_version, PGPS_POOL_LEN);
	}
	memcpy(data->client_addr, identity->client_addr, PGPS_ADDR_LEN);
	if (identity->via[0] != '\0')
		memcpy(data->via, identity->via, PGPS_POOL_LEN);
	if (connect)
		pgps_raise_count(&data->counters, PGPS_CONNECTS, 1);
	data->last_seen = now;
	cap = pgps_instance_cap(data);
	SpinLockRelease(&pgps_instances[i].mutex);
	pgps_activity_set_cap(&pgps_instances[i].activity, cap, now);
	if (data->other)
		pg_atomic_fetch_add_u64(&pgps_registry->overflowed, 1);
	pgps_unlock_registry();
	return &pgps_instances[i].activity;
}

/* Take this session off where it is: it is not to be tracked any more. */
void
pgps_registry_unplace(bool in_xact)
{
	int32		i = pgps_backend_instance();

	if (i == PGPS_NO_INSTANCE)
		return;
	pgps_lock_registry(LW_EXCLUSIVE);
	if (in_xact)
		pgps_activity_end(&pgps_instances[i].activity, GetCurrentTimestamp());
	detach(i, pgps_backend_last_xact());
	pgps_backend_set_instance(PGPS_NO_INSTANCE);
	pgps_unlock_registry();
}

/*
 * This session ends after so many microseconds.  Takes no LWLock: it may be
 * exiting with one held.  The entry cannot go away before its count of
 * backends does.
 */
void
pgps_registry_leave(int32 i, TimestampTz last_xact, int64 session_time,
					bool only_reported)
{
	PgpsInstance *data;

	if (i == PGPS_NO_INSTANCE)
		return;
	data = &pgps_instances[i].data;
	SpinLockAcquire(&pgps_instances[i].mutex);
	pgps_raise_count(&data->counters, PGPS_DISCONNECTS, 1);
	if (!only_reported)
	{
		pgps_raise_count(&data->counters, PGPS_WORK_SESSIONS, 1);
		pgps_raise_count(&data->counters, PGPS_SESSION_TIME, Max(session_time, 0));
	}
	data->last_seen = GetCurrentTimestamp();
	SpinLockRelease(&pgps_instances[i].mutex);
	detach(i, last_xact);
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

void
pgps_registry_info(PgpsRegistryInfo *info)
{
	SpinLockAcquire(&pgps_registry->mutex);
	*info = pgps_registry->info;
	SpinLockRelease(&pgps_registry->mutex);
	info->overflowed = pg_atomic_read_u64(&pgps_registry->overflowed);
	info->unmapped_keys = pg_atomic_read_u64(&pgps_registry->unmapped_keys);
	info->dropped = pg_atomic_read_u64(&pgps_registry->dropped);
}

/*
 * Copy everything into the current memory context.  The room is allocated
 * before the lock is taken; if entries were made in between, once more.
 */
PgpsCopy *
pgps_registry_copy(PgpsHistograms histograms)
{
	PgpsCopy   *copy = palloc0(sizeof(PgpsCopy));
	int32		npools = 0,
				ninstances = 0;
	TimestampTz now = GetCurrentTimestamp();
	int32		i;

	pgps_registry_info(&copy->info);
	copy->max_pool = pgps_registry->pools.capacity;
	copy->max_instance = pgps_registry->instances.capacity;
	copy->backends = palloc(MaxConnections * sizeof(PgpsBackend));
	copy->peaks = palloc(pgps_peaks_max() * sizeof(PgpsPeak));
	for (;;)
	{
		bool		fits;

		copy->pools = palloc_extended(npools * sizeof(PgpsPoolCopy),
									  MCXT_ALLOC_HUGE);
		copy->instances = palloc_extended(ninstances * sizeof(PgpsInstanceCopy),
										  MCXT_ALLOC_HUGE);

		pgps_lock_registry(LW_SHARED);
		fits = npools >= pgps_registry->pools.used &&
			ninstances >= pgps_registry->instances.used;
		npools = pgps_registry->pools.used;
		ninstances = pgps_registry->instances.used;
		if (fits)
			break;
		pgps_unlock_registry();

		/* some more may be made meanwhile */
		npools += 16;
		ninstances += 64;
		pfree(copy->pools);
		pfree(copy->instances);
	}

	for (i = 0; i < pgps_registry->pools.high_water; i++)
	{
		if (pgps_pools[i].used)
		{
			copy->pools[copy->npools].index = i;
			copy->pools[copy->npools++].data = pgps_pools[i].data;
		}
	}
	for (i = 0; i < pgps_registry->instances.high_water; i++)
	{
		PgpsInstanceCopy *to = &copy->instances[copy->ninstances];

		if (!pgps_instances[i].used)
			continue;
		to->index = i;
		SpinLockAcquire(&pgps_instances[i].mutex);
		to->data = pgps_instances[i].data;
		SpinLockRelease(&pgps_instances[i].mutex);
		pgps_activity_count_up(&to->data.counters, &pgps_instances[i].activity,
							   now);
		pgps_activity_copy(&to->activity, &pgps_instances[i].activity,
						   histograms);
		copy->ninstances++;
	}
	copy->backends_at = GetCurrentTimestamp();
	copy->nbackends = pgps_backends_copy(copy->backends);
	copy->npeaks = pgps_peaks_copy(copy->peaks);
	pgps_unlock_registry();
	return copy;
}

/* Make the counters of a copy those that exporters get; see restore.c. */
void
pgps_leave_out_base(PgpsCopy *copy)
{
	int			i;

	for (i = 0; i < copy->npools; i++)
		pgps_counters_subtract(&copy->pools[i].data.retired,
							   &copy->pools[i].data.base);
	for (i = 0; i < copy->ninstances; i++)
		pgps_counters_subtract(&copy->instances[i].data.counters,
							   &copy->instances[i].data.base);
}

/* The client backends alone */
PgpsBackend *
pgps_registry_backends(int *nbackends)
{
	PgpsBackend *backends = palloc(MaxConnections * sizeof(PgpsBackend));

	pgps_lock_registry(LW_SHARED);
	*nbackends = pgps_backends_copy(backends);
	pgps_unlock_registry();
	return backends;
}

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
		const PgpsValues *last = &pgps_instances[i].data.carry.last;

		SpinLockAcquire(&pgps_instances[i].mutex);
		for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
		{
			if (!pgps_known(last, f))
				continue;
			any = true;
			pgps_set(counted, f, Max(pgps_get(counted, f, 0), last->value[f]));
		}
		SpinLockRelease(&pgps_instances[i].mutex);
	}
	pgps_unlock_registry();
	return any;
}
