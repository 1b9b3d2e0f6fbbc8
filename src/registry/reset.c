/*-------------------------------------------------------------------------
 *
 * reset.c
 *	  Counters and peaks of pools and instances start again.
 *
 * In batches, so that nobody waits long for the registry's lock: first all
 * instances, then the pools that take what instances counted.  So nothing that
 * was counted before comes back through an instance that goes meanwhile.
 *
 * What backends count in their slots is not touched: it is of a generation of
 * the entry that is over, so that it counts for nobody, and its owner drops it
 * at the end of his next transaction.
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

#include "registry/activity.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/life.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/space.h"

/* entries that are looked at under one lock */
#define BATCH 64

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

static void
reset_pool(int32 i, TimestampTz now)
{
	PgpsPool   *data = &pgps_pools[i].data;

	pgps_change_begins(&pgps_pool_changes[i]);
	pgps_counters_reset(&data->retired);
	pgps_counters_reset(&data->base);
	memset(&data->retired_xacts, 0, sizeof(PgpsXactRanges));
	memset(&data->base_xacts, 0, sizeof(PgpsXactRanges));
	pgps_sessions_reset(i);
	data->peak_connections = pg_atomic_read_u32(&pgps_pools[i].attached);
	data->peak_connections_at = now;
	data->peak_instances = 0;
	data->reset_at = now;
	memset(data->week, 0, sizeof(data->week));
	pgps_change_ends(&pgps_pool_changes[i]);
}

static void
reset_instance(int32 i, TimestampTz now)
{
	PgpsInstanceEntry *entry = pgps_instance(i);

	SpinLockAcquire(&entry->mutex);
	pgps_change_begins(&pgps_instance_changes[i]);
	entry->activity.generation++;
	pgps_counters_reset(&entry->data.counters);
	pgps_counters_reset(&entry->data.base);
	entry->data.carry.dropped = entry->data.carry.held = 0;
	entry->data.held = 0;
	entry->data.fork_shared = false;
	memset(&pgps_xact_times[i], 0, sizeof(PgpsXactTimes));
	pgps_change_ends(&pgps_instance_changes[i]);
	SpinLockRelease(&entry->mutex);
	pgps_activity_reset(&entry->activity, now);
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
	int32		end = pgps_registry->instances.high_water;
	int32		i,
				j;

	for (i = 0; i < end; i += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		pgps_lock_registry(LW_SHARED);
		for (j = i; j < Min(i + BATCH, end); j++)
		{
			if (pgps_instance_used(j) &&
				is_pool_meant(&pgps_pools[pgps_instance_pools[j] - 1].data,
							  pool, usename, roleid))
				reset_instance(j, now);
		}
		pgps_unlock_registry();
	}
	end = pgps_registry->pools.high_water;
	for (i = 0; i < end; i += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		pgps_lock_registry(LW_EXCLUSIVE);
		for (j = i; j < Min(i + BATCH, end); j++)
		{
			if (!pgps_pools[j].used ||
				!is_pool_meant(&pgps_pools[j].data, pool, usename, roleid))
				continue;
			reset_pool(j, now);
			meant++;
		}
		pgps_unlock_registry();
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
	return meant;
}
