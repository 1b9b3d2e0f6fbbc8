/*-------------------------------------------------------------------------
 *
 * restore.c
 *	  Saved pools and instances back into the registry.
 *
 * Only while the server starts: the postmaster is alone and takes no lock.
 *
 * After a crash, what was counted since the last save is lost, but an exporter
 * may have read it.  A counter that falls, be it a little, is to Prometheus one
 * that began again at 0: it would add the whole value once more.  So after a
 * crash all that was counted before becomes the "base", which exporters
 * subtract: their counters really begin again at 0.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/timestamp.h"

#include "registry/activity.h"
#include "registry/counters.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/space.h"

/*
 * Returns the number of the pool's entry; "own" is whether it has that for
 * itself.
 */
int32
pgps_registry_restore_pool(const PgpsPool *pool, bool crashed, bool *own)
{
	const PgpsCounters *base = crashed ? &pool->retired : &pool->base;
	const PgpsXactRanges *base_xacts = crashed ? &pool->retired_xacts :
		&pool->base_xacts;
	int32		i = pgps_restore_pool_entry(&pool->key, NameStr(pool->usename),
											NameStr(pool->datname),
											pool->discovered, pool->first_seen);
	PgpsPool   *data = &pgps_pools[i].data;

	*own = memcmp(&data->key, &pool->key, sizeof(PgpsPoolKey)) == 0 &&
		strcmp(pool->key.name, PGPS_OTHER) != 0;
	if (*own)
	{
		int32		instances = data->instances;

		*data = *pool;
		data->base = *base;
		data->base_xacts = *base_xacts;
		data->instances = instances;
	}
	else
	{
		/* (other), or max_pools was lowered */
		pgps_retire(i, &pool->retired, base);
		pgps_retire_xacts(i, &pool->retired_xacts, base_xacts);
	}
	return i;
}

void
pgps_registry_restore_instance(const PgpsInstanceCopy *instance,
							   const PgpsHistogram *histogram, int32 pool,
							   bool crashed)
{
	const PgpsInstance *saved = &instance->data;
	const PgpsCounters *base = crashed ? &saved->counters : &saved->base;
	bool		made;
	int32		i = pgps_restore_instance_entry(pool, saved->name,
												saved->last_seen, &made);
	PgpsInstanceEntry *entry = pgps_instance(i);
	PgpsXactRanges xacts = {0};

	pgps_ranges_count(&xacts, histogram);
	if (crashed)
		pgps_ranges_add(&pgps_pools[pool].data.base_xacts, &xacts);
	if (made && entry->data.other == saved->other)
	{
		entry->data = *saved;
		entry->data.pool = pool;
		entry->data.here = 0;
		entry->data.base = *base;
		pgps_xact_times[i].all = *histogram;
		pgps_xact_times_turn(&pgps_xact_times[i], histogram);
		pgps_xact_times_turn(&pgps_xact_times[i], histogram);
		pgps_activity_restore(&entry->activity, &instance->activity,
							  &saved->counters);
	}
	else
	{
		/* max_instances or max_pools was lowered: many in one row */
		pgps_retire(pool, &saved->counters, base);
		pgps_retire_xacts(pool, &xacts, NULL);
	}
}

static int
compare_instances(const void *a, const void *b)
{
	TimestampTz x = pgps_instance(*(const int32 *) a)->data.last_seen;
	TimestampTz y = pgps_instance(*(const int32 *) b)->data.last_seen;

	return x < y ? -1 : x > y ? 1 : 0;
}

static int
compare_pools(const void *a, const void *b)
{
	TimestampTz x = pgps_pools[*(const int32 *) a].data.last_seen;
	TimestampTz y = pgps_pools[*(const int32 *) b].data.last_seen;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* What has been idle or empty for longest gives way first: list it by time. */
static void
order_lists(void)
{
	int32		npools = pgps_registry->pools.high_water;
	int32		ninstances = pgps_registry->instances.high_water;
	int32	   *sorted = palloc_extended(Max(Max(npools, ninstances), 1) * sizeof(int32),
										 MCXT_ALLOC_HUGE);
	int32		n = 0;
	int32		i;

	for (i = 0; i < ninstances; i++)
	{
		if (pgps_instance(i)->idle)
			sorted[n++] = i;
	}
	qsort(sorted, n, sizeof(int32), compare_instances);
	for (i = 0; i < n; i++)
	{
		PgpsInstanceEntry *entry = pgps_instance(sorted[i]);

		dlist_delete(&entry->idle_node);
		dlist_push_tail(&pgps_roles[pgps_pools[entry->data.pool].role].idle,
						&entry->idle_node);
	}

	for (i = n = 0; i < npools; i++)
	{
		if (pgps_pools[i].used && pgps_pools[i].data.instances == 0)
			sorted[n++] = i;
	}
	qsort(sorted, n, sizeof(int32), compare_pools);
	for (i = 0; i < n; i++)
	{
		PgpsPoolEntry *entry = &pgps_pools[sorted[i]];

		dlist_delete(&entry->empty_node);
		dlist_push_tail(&pgps_roles[entry->role].empty, &entry->empty_node);
	}
	pfree(sorted);
}

/* All is restored. */
void
pgps_registry_restore_done(TimestampTz stats_reset, bool crashed)
{
	order_lists();
	pgps_registry->info.stats_reset = stats_reset;
	pgps_registry->info.crashed = crashed;
}
