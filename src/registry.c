/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  Pools and their instances in shared memory: what happens to them.
 *
 * Note about locking: to make, give up or re-attach an entry, or to change a
 * pool, one must hold the registry's LWLock exclusively; to look anything up,
 * at least in shared mode.  What an instance told is guarded by the spinlock
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

#include "entries.h"
#include "settings.h"

/* a pool without instances is kept this long (microseconds) */
#define POOL_RETENTION (7 * USECS_PER_DAY)

static LWLock *registry_lock = NULL;

void
pgps_registry_set_lock(LWLock *lock)
{
	registry_lock = lock;
}

/*
 * Take the lock.  The postmaster is alone when it loads and saves, and has no
 * means to wait.
 */
static void
lock_registry(LWLockMode mode)
{
	if (IsUnderPostmaster)
		LWLockAcquire(registry_lock, mode);
}

static void
unlock_registry(void)
{
	if (IsUnderPostmaster)
		LWLockRelease(registry_lock);
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
	int32		cap;

	SpinLockAcquire(&entry->mutex);
	pgps_instance_take_report(&entry->data, report, now,
							  pgps_registry->info.started_at);
	cap = pgps_instance_cap(&entry->data);
	SpinLockRelease(&entry->mutex);
	pgps_activity_set_cap(&entry->activity, cap, now);

	if (report->stats->nunmapped > 0)
		pg_atomic_fetch_add_u64(&pgps_registry->unmapped_keys,
								report->stats->nunmapped);
}

/*
 * Take a report.  Returns whether it has a row of its own.
 */
bool
pgps_registry_report(const PgpsReport *report, TimestampTz now)
{
	int32		pool;
	int32		i = PGPS_NONE;
	bool		own;

	lock_registry(LW_SHARED);
	pool = pgps_find_pool(&report->key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, report->instance);
	if (i == PGPS_NONE)
	{
		unlock_registry();
		lock_registry(LW_EXCLUSIVE);
		pool = pgps_need_pool(&report->key, NameStr(report->usename),
							  NameStr(report->datname), false, now);
		i = pgps_need_instance(pool, report->instance, false, now);
	}
	apply_report(i, report, now);
	own = !pgps_instances[i].data.other;
	unlock_registry();
	if (!own)
		pg_atomic_fetch_add_u64(&pgps_registry->overflowed, 1);
	return own;
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

	lock_registry(LW_EXCLUSIVE);
	pool = pgps_find_pool(key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, instance);
	if (i != PGPS_NONE)
	{
		PgpsInstance *data = &pgps_instances[i].data;

		if (pg_atomic_read_u32(&pgps_instances[i].attached) == 0)
			pgps_remove_instance(i);
		else
		{
			PgpsPool	told = {0};

			/* exiting backends still write here */
			SpinLockAcquire(&pgps_instances[i].mutex);
			told.retired = data->told;
			pgps_instance_forget(data);
			SpinLockRelease(&pgps_instances[i].mutex);
			pgps_retire(&pgps_pools[pool].data, &told);
		}
	}
	unlock_registry();
	return i != PGPS_NONE;
}

static void
reset_counters(PgpsValues *v)
{
	int			f;

	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
		v->value[f] = 0;
}

/*
 * Is a pool meant by name and role?  NULL means any; of a dropped role only
 * the name is known.
 */
static bool
is_meant(const PgpsPool *data, const char *pool, const char *usename,
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

	lock_registry(LW_EXCLUSIVE);
	for (i = 0; i < pgps_registry->pool_capacity; i++)
	{
		PgpsPool   *data = &pgps_pools[i].data;

		if (!pgps_pools[i].used || !is_meant(data, pool, usename, roleid))
			continue;
		meant++;
		reset_counters(&data->retired);
		data->retired_connects = data->retired_disconnects = 0;
		memset(&data->retired_xacts, 0, sizeof(data->retired_xacts));
		data->peak_connections = pg_atomic_read_u32(&pgps_pools[i].attached);
		data->peak_connections_at = now;
		data->peak_instances = 0;
		data->peak_committed = 0;
	}
	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		PgpsInstanceEntry *entry = &pgps_instances[i];

		if (!entry->used ||
			!is_meant(&pgps_pools[entry->data.pool].data, pool, usename,
					  roleid))
			continue;
		SpinLockAcquire(&entry->mutex);
		reset_counters(&entry->data.told);
		entry->data.carry.dropped = entry->data.carry.held = 0;
		entry->data.connects = entry->data.disconnects = 0;
		entry->data.session_time = 0;
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
	unlock_registry();
	return meant;
}

/*-------------------------------------------------------------------------
 * Connections
 *-------------------------------------------------------------------------
 */

/*
 * Take this session off an instance.  The instance's count goes last: until
 * then the entry cannot be given up.
 */
static void
detach(int32 i)
{
	pg_atomic_fetch_sub_u32(&pgps_pools[pgps_instances[i].data.pool].attached, 1);
	pg_atomic_fetch_sub_u32(&pgps_instances[i].attached, 1);
}

/* Move this session to an instance.  Caller holds the lock exclusively. */
static void
attach(int32 i, TimestampTz now)
{
	int32		old = pgps_backend_instance();
	PgpsPoolEntry *pool = &pgps_pools[pgps_instances[i].data.pool];
	int32		connections;

	if (old == i)
		return;
	if (old != PGPS_NO_INSTANCE)
		detach(old);

	pg_atomic_fetch_add_u32(&pgps_instances[i].attached, 1);
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
	lock_registry(LW_EXCLUSIVE);
	pgps_peaks_connect(roleid, dbid, GetCurrentTimestamp());
	unlock_registry();
}

/*
 * Put this session where it belongs by its label or by discovery.  "connect"
 * is false when it was there before, under this label or another.  Returns
 * where its transactions count.
 */
PgpsActivity *
pgps_registry_join(const PgpsIdentity *identity, bool connect)
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

	lock_registry(LW_EXCLUSIVE);
	pool = pgps_need_pool(&key, NameStr(identity->usename),
						  NameStr(identity->datname), !identity->labelled, now);
	i = pgps_need_instance(pool, identity->instance, true, now);
	attach(i, now);
	if (connect)
		pgps_peaks_connect(identity->roleid, identity->dbid, now);

	data = &pgps_instances[i].data;
	SpinLockAcquire(&pgps_instances[i].mutex);
	if (identity->labelled)
	{
		data->source = Max(data->source, PGPS_SOURCE_LABEL);
		data->label = identity->cap;
		if (identity->app_version[0] != '\0')
			memcpy(data->app_version, identity->app_version, PGPS_POOL_LEN);
	}
	memcpy(data->client_addr, identity->client_addr, PGPS_ADDR_LEN);
	if (connect)
		data->connects++;
	data->last_seen = now;
	cap = pgps_instance_cap(data);
	SpinLockRelease(&pgps_instances[i].mutex);
	pgps_activity_set_cap(&pgps_instances[i].activity, cap, now);
	if (data->other)
		pg_atomic_fetch_add_u64(&pgps_registry->overflowed, 1);
	unlock_registry();
	return &pgps_instances[i].activity;
}

/* Take this session off where it is: it is not to be tracked any more. */
void
pgps_registry_unplace(void)
{
	int32		i = pgps_backend_instance();

	if (i == PGPS_NO_INSTANCE)
		return;
	lock_registry(LW_EXCLUSIVE);
	detach(i);
	pgps_backend_set_instance(PGPS_NO_INSTANCE);
	unlock_registry();
}

/*
 * Put this session to the instance it just reported for, if that still has a
 * row of its own.  Returns where its transactions count; NULL: nothing has
 * changed.
 */
PgpsActivity *
pgps_registry_bind(const PgpsReport *report)
{
	int32		pool;
	int32		i = PGPS_NONE;

	lock_registry(LW_EXCLUSIVE);
	pool = pgps_find_pool(&report->key);
	if (pool != PGPS_NONE)
		i = pgps_find_instance(pool, report->instance);
	if (i != PGPS_NONE && pgps_instances[i].data.other)
		i = PGPS_NONE;
	if (i != PGPS_NONE)
		attach(i, GetCurrentTimestamp());
	unlock_registry();
	return i != PGPS_NONE ? &pgps_instances[i].activity : NULL;
}

/*
 * This session ends after so many microseconds.  Takes no LWLock: it may be exiting with one held.  The
 * entry cannot go away before its count of backends does.
 */
void
pgps_registry_leave(int32 i, int64 session_time)
{
	if (i == PGPS_NO_INSTANCE)
		return;
	SpinLockAcquire(&pgps_instances[i].mutex);
	pgps_instances[i].data.disconnects++;
	pgps_instances[i].data.session_time += Max(session_time, 0);
	pgps_instances[i].data.last_seen = GetCurrentTimestamp();
	SpinLockRelease(&pgps_instances[i].mutex);
	detach(i);
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
	copy->max_pool = pgps_registry->pool_capacity;
	copy->max_instance = pgps_registry->instance_capacity;
	copy->backends = palloc(MaxConnections * sizeof(PgpsBackend));
	copy->peaks = palloc(pgps_peaks_max() * sizeof(PgpsPeak));
	for (;;)
	{
		bool		fits;

		copy->pools = palloc_extended(npools * sizeof(PgpsPoolCopy),
									  MCXT_ALLOC_HUGE);
		copy->instances = palloc_extended(ninstances * sizeof(PgpsInstanceCopy),
										  MCXT_ALLOC_HUGE);

		lock_registry(LW_SHARED);
		fits = npools >= pgps_registry->npools && ninstances >= pgps_registry->ninstances;
		npools = pgps_registry->npools;
		ninstances = pgps_registry->ninstances;
		if (fits)
			break;
		unlock_registry();

		/* some more may be made meanwhile */
		npools += 16;
		ninstances += 64;
		pfree(copy->pools);
		pfree(copy->instances);
	}

	for (i = 0; i < pgps_registry->pool_capacity; i++)
	{
		if (pgps_pools[i].used)
		{
			copy->pools[copy->npools].index = i;
			copy->pools[copy->npools++].data = pgps_pools[i].data;
		}
	}
	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		PgpsInstanceCopy *to = &copy->instances[copy->ninstances];

		if (!pgps_instances[i].used)
			continue;
		to->index = i;
		SpinLockAcquire(&pgps_instances[i].mutex);
		to->data = pgps_instances[i].data;
		SpinLockRelease(&pgps_instances[i].mutex);
		pgps_activity_copy(&to->activity, &pgps_instances[i].activity,
						   histograms, now);
		copy->ninstances++;
	}
	copy->nbackends = pgps_backends_copy(copy->backends);
	copy->npeaks = pgps_peaks_copy(copy->peaks);
	unlock_registry();
	return copy;
}

/*-------------------------------------------------------------------------
 * The collector
 *-------------------------------------------------------------------------
 */

/* Is an instance to be given up?  Never one with a connection. */
static bool
is_expired(PgpsInstanceEntry *entry, TimestampTz now)
{
	if (!entry->used || pg_atomic_read_u32(&entry->attached) > 0)
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

/*
 * Give up instances that were not heard of for expire_after.  Their counters
 * stay in their pool.
 */
void
pgps_registry_expire(TimestampTz now)
{
	bool		any = false;
	int32		i;

	/* mostly there are none, and joining need not wait for us to find out */
	lock_registry(LW_SHARED);
	for (i = 0; i < pgps_registry->instance_capacity && !any; i++)
		any = is_expired(&pgps_instances[i], now);
	for (i = 0; i < pgps_registry->pool_capacity && !any; i++)
		any = is_expired_pool(&pgps_pools[i], now);
	unlock_registry();
	if (!any)
		return;

	lock_registry(LW_EXCLUSIVE);
	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		if (is_expired(&pgps_instances[i], now))
			pgps_remove_instance(i);
	}
	for (i = 0; i < pgps_registry->pool_capacity; i++)
	{
		if (is_expired_pool(&pgps_pools[i], now))
			pgps_remove_pool(i);
	}
	unlock_registry();
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

	lock_registry(LW_SHARED);
	SpinLockAcquire(&entry->mutex);
	if (entry->used && entry->data.first_seen == judged->data.first_seen &&
		entry->data.last_report == judged->data.last_report)
	{
		entry->data.status = status;
		entry->data.status_since = since;
	}
	SpinLockRelease(&entry->mutex);
	unlock_registry();
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

	lock_registry(LW_SHARED);
	if (entry->used && entry->data.first_seen == seen->data.first_seen)
		pgps_activity_note(&entry->activity, in_xact, now);
	unlock_registry();
}

/* Raise a pool's peaks to what was just seen. */
void
pgps_registry_note_peaks(const PgpsPoolCopy *seen, int live, int64 committed)
{
	PgpsPool   *data = &pgps_pools[seen->index].data;

	lock_registry(LW_EXCLUSIVE);
	if (pgps_pools[seen->index].used && data->first_seen == seen->data.first_seen)
	{
		data->peak_instances = Max(data->peak_instances, live);
		data->peak_committed = Max(data->peak_committed, committed);
	}
	unlock_registry();
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

/*-------------------------------------------------------------------------
 * Loading the save file.  The postmaster is alone.
 *-------------------------------------------------------------------------
 */

/* Returns the number of the pool's entry. */
int32
pgps_registry_restore_pool(const PgpsPool *pool)
{
	int32		i = pgps_need_pool(&pool->key, NameStr(pool->usename),
								   NameStr(pool->datname), pool->discovered,
								   pool->first_seen);
	PgpsPool   *data = &pgps_pools[i].data;

	if (memcmp(&data->key, &pool->key, sizeof(PgpsPoolKey)) == 0 &&
		strcmp(pool->key.name, PGPS_OTHER) != 0)
	{
		*data = *pool;

		/* its instances come later: it must not make room for others now */
		data->instances = 1;
	}
	else
		pgps_retire(data, pool);	/* (other), or max_pools was lowered */
	return i;
}

void
pgps_registry_restore_instance(const PgpsInstanceCopy *instance, int32 pool)
{
	const PgpsInstance *saved = &instance->data;
	int32		i = pgps_need_instance(pool, saved->name, false,
									   saved->last_seen);
	PgpsInstance *data = &pgps_instances[i].data;

	if (!data->other || saved->other)
	{
		*data = *saved;
		data->pool = pool;
		pgps_activity_restore(&pgps_instances[i].activity, &instance->activity);
	}
	else
	{
		/* max_instances was lowered */
		PgpsPool	more = {0};

		more.retired = saved->told;
		more.retired_connects = saved->connects;
		more.retired_disconnects = saved->disconnects;
		more.retired_xacts = instance->activity.totals;
		pgps_retire(&pgps_pools[pool].data, &more);
	}
}

/* All is restored: count what belongs to each pool. */
void
pgps_registry_restore_done(TimestampTz stats_reset)
{
	int32		i;

	pgps_registry->info.stats_reset = stats_reset;
	for (i = 0; i < pgps_registry->pool_capacity; i++)
		pgps_pools[i].data.instances = 0;
	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		if (pgps_instances[i].used)
			pgps_pools[pgps_instances[i].data.pool].data.instances++;
	}
}
