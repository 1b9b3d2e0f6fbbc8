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

#include "utils/timestamp.h"

#include "registry/entries.h"

/*
 * Returns the number of the pool's entry; "own" is whether it has that for
 * itself.
 */
int32
pgps_registry_restore_pool(const PgpsPool *pool, bool crashed, bool *own)
{
	const PgpsCounters *base = crashed ? &pool->retired : &pool->base;
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
		data->instances = instances;
	}
	else
		/* (other), or max_pools was lowered */
		pgps_retire(data, &pool->retired, base);
	return i;
}

void
pgps_registry_restore_instance(const PgpsInstanceCopy *instance, int32 pool,
							   bool crashed)
{
	const PgpsInstance *saved = &instance->data;
	const PgpsCounters *base = crashed ? &saved->counters : &saved->base;
	int32		i = pgps_restore_instance_entry(pool, saved->name,
												saved->last_seen);
	PgpsInstance *data = &pgps_instances[i].data;

	if (!data->other || saved->other)
	{
		*data = *saved;
		data->pool = pool;
		data->base = *base;
		pgps_activity_restore(&pgps_instances[i].activity, &instance->activity,
							  &saved->counters);
	}
	else
		/* max_instances was lowered */
		pgps_retire(&pgps_pools[pool].data, &saved->counters, base);
}

/* All is restored. */
void
pgps_registry_restore_done(TimestampTz stats_reset, bool crashed)
{
	pgps_registry->info.stats_reset = stats_reset;
	pgps_registry->info.crashed = crashed;
}
