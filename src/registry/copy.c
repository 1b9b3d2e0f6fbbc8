/*-------------------------------------------------------------------------
 *
 * copy.c
 *	  What readers get: a copy of pools, instances and backends.
 *
 * Nobody who connects waits for a reader: entries are copied without the LWLock,
 * each instance under its spinlock.  What makes that one consistent picture are
 * the change counts of entries.h, noted before anything is copied.  Counts move
 * in three ways:
 *
 * - from a backend's slot to its instance, when the backend leaves it: under the
 *	 instance's spinlock, without the LWLock;
 * - from an instance to its pool, when it is given up: under the exclusive lock;
 * - to nothing, by reset(): under the spinlock or the exclusive lock.
 *
 * Each counts a change of the entry before it begins and when it is done.  So
 * if the count of an instance is what it was, then the entry as it was copied
 * and the slots as they were copied after it have each transaction once.
 *
 * When all is copied, the counts are compared under the shared lock, so that
 * nothing can be given up or made meanwhile.  What has changed is copied anew
 * there: an instance with all its slots, if need be under its spinlock, so that
 * none is handed over.  If that was much, the lock is released in between and all are
 * compared again.  In the last turn all others were as noted: so an instance
 * that expires is either still there or in its pool, never in both or neither.
 *
 * All memory is allocated and touched before: nobody waits for a page fault of
 * ours either.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

#include "registry/backends.h"
#include "registry/copying.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/space.h"

/* changed instances that are copied anew under one lock ... */
#define BATCH 64

/* ... but for the last of so many turns, which takes all */
#define TURNS 500

/*
 * So many more may be made while we copy.  If it were more, some that were
 * there before would find no room: then all is copied again, with four times
 * as much of it, so often at most.
 */
#define MORE_POOLS 16
#define MORE_INSTANCES 64
#define TRIES 5

/*-------------------------------------------------------------------------
 * Before
 *-------------------------------------------------------------------------
 */

/* Memory that is there: it has been written to. */
static void *
touched(Size size)
{
	char	   *memory = palloc_extended(Max(size, 1), MCXT_ALLOC_HUGE);
	Size		i;

	for (i = 0; i < size; i += 1024)
		memory[i] = 0;
	return memory;
}

static void *
zeroed(Size size)
{
	return palloc_extended(Max(size, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
prepare(PgpsCopying *c)
{
	PgpsCopy   *copy = c->copy;
	bool		all = c->only_pool == PGPS_ALL_POOLS;

	c->pools_end = Min(pgps_registry->pools.high_water + c->more_pools,
					   pgps_registry->pools.capacity);
	c->instances_end = Min(pgps_registry->instances.high_water + c->more_instances,
						   pgps_registry->instances.capacity);
	copy->max_pool = c->pools_end;
	copy->max_instance = c->instances_end;
	c->room_for_pools = all ? pgps_registry->pools.used + c->more_pools : 1;
	c->room_for_instances = c->more_instances +
		(all ? pgps_registry->instances.used :
		 pgps_pools[c->only_pool].data.instances);
	copy->pools = touched(c->room_for_pools * sizeof(PgpsPoolCopy));
	copy->instances = touched(c->room_for_instances * sizeof(PgpsInstanceCopy));
	if (c->histograms != PGPS_NO_HISTOGRAMS)
		c->instance_histograms = touched(c->room_for_instances *
										 sizeof(PgpsHistogram));
	if (c->histograms == PGPS_RECENT_XACTS)
		c->bases = touched(c->room_for_instances * sizeof(*c->bases));
	copy->backends = palloc_extended(MaxConnections * sizeof(PgpsBackend),
									 MCXT_ALLOC_HUGE);
	c->pool_places = zeroed(c->pools_end * sizeof(int32));
	c->instance_places = zeroed(c->instances_end * sizeof(int32));
	c->changed_hands = zeroed(c->instances_end * sizeof(bool));
	c->pool_changes = touched(c->pools_end * sizeof(uint32));
	c->instance_changes = touched(c->instances_end * sizeof(uint32));
}

static void
note_changes(PgpsCopying *c)
{
	memcpy(c->pool_changes, (const void *) pgps_pool_changes,
		   c->pools_end * sizeof(uint32));
	memcpy(c->instance_changes, (const void *) pgps_instance_changes,
		   c->instances_end * sizeof(uint32));
	pg_read_barrier();
}

/*-------------------------------------------------------------------------
 * Afterwards
 *-------------------------------------------------------------------------
 */

/* Close the gaps that entries given up have left, and those without a pool. */
static void
drop_missing(PgpsCopying *c)
{
	PgpsCopy   *copy = c->copy;
	int			i,
				n = 0;

	for (i = 0; i < copy->npools; i++)
	{
		if (copy->pools[i].index == PGPS_NONE)
			continue;
		if (n < i)
			copy->pools[n] = copy->pools[i];
		c->pool_places[copy->pools[n].index] = n + 1;
		n++;
	}
	copy->npools = n;

	n = 0;
	for (i = 0; i < copy->ninstances; i++)
	{
		PgpsInstanceCopy *instance = &copy->instances[i];

		if (instance->index == PGPS_NONE)
			continue;
		c->instance_places[instance->index] = 0;
		if (instance->data.pool >= c->pools_end ||
			c->pool_places[instance->data.pool] == 0)
			continue;
		if (c->bases != NULL)
			pgps_histogram_subtract(instance->histogram, c->bases[i]);
		c->instance_places[instance->index] = n + 1;
		if (n < i)
			copy->instances[n] = *instance;
		n++;
	}
	copy->ninstances = n;
}

/*
 * Is a backend at the instance that was copied?  Others may have got the entry
 * since it was looked at.
 */
static bool
is_at_copied(const PgpsCopying *c, const PgpsBackend *backend)
{
	int32		i = backend->instance;

	if (pgps_copied_instance(c, i) == NULL)
		return false;
	if (!c->changed_hands[i])
		return true;
	if (pgps_instance_at(backend->procno) != i)
		return false;
	pg_read_barrier();
	return c->instance_changes[i] == pgps_instance_changes[i];
}

static void
settle_backends(PgpsCopying *c)
{
	PgpsCopy   *copy = c->copy;
	int			i,
				n = 0;

	for (i = 0; i < copy->nbackends; i++)
	{
		PgpsBackend *backend = &copy->backends[i];

		if (!is_at_copied(c, backend))
		{
			if (c->only_pool != PGPS_ALL_POOLS)
				continue;
			backend->instance = PGPS_NO_INSTANCE;
		}
		if (n < i)
			copy->backends[n] = *backend;
		n++;
	}
	copy->nbackends = n;
}

/* Copy once.  Returns whether there was room for everything. */
static bool
copy_once(PgpsCopying *c)
{
	int			turn;
	int32		i;

	prepare(c);
	note_changes(c);
	for (i = 0; i < c->pools_end; i++)
		pgps_copy_pool(c, i);
	for (i = 0; i < c->instances_end; i++)
	{
		if (i % PGPS_COPY_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (pgps_is_wanted(c, pgps_instance_pools[i] - 1))
			pgps_copy_instance(c, i, false);
	}
	pgps_copy_backends(c);
	pg_read_barrier();
	for (turn = 1;
		 !pgps_copy_changed(c, turn < TURNS ? BATCH : c->instances_end); turn++)
		CHECK_FOR_INTERRUPTS();
	return !c->full;
}

static void
free_unless_null(void *memory)
{
	if (memory != NULL)
		pfree(memory);
}

/* What is of no use to readers */
static void
free_notes(PgpsCopying *c)
{
	pfree(c->pool_changes);
	pfree(c->instance_changes);
	pfree(c->pool_places);
	pfree(c->instance_places);
	pfree(c->changed_hands);
	free_unless_null(c->bases);
}

/* Begin anew, with more room. */
static void
start_over(PgpsCopying *c)
{
	PgpsCopy   *copy = c->copy;

	free_notes(c);
	free_unless_null(c->instance_histograms);
	pfree(copy->pools);
	pfree(copy->instances);
	pfree(copy->backends);
	copy->npools = copy->ninstances = copy->nbackends = 0;
	c->full = false;
	c->more_pools *= 4;
	c->more_instances *= 4;
}

/*
 * Copy everything into the current memory context, or one pool with all that
 * is its own: then without peaks.  That pool may be gone; then nothing is there.
 */
PgpsCopy *
pgps_registry_copy(PgpsHistograms histograms, int32 only_pool)
{
	PgpsCopy   *copy = palloc0(sizeof(PgpsCopy));
	PgpsCopying c = {
		.copy = copy,
		.histograms = histograms,
		.only_pool = only_pool,
		.now = GetCurrentTimestamp(),
		.more_pools = MORE_POOLS,
		.more_instances = MORE_INSTANCES,
	};
	int			tries;

	pgps_registry_info(&copy->info);
	for (tries = 1; !copy_once(&c) && tries < TRIES; tries++)
		start_over(&c);
	drop_missing(&c);
	settle_backends(&c);

	if (only_pool == PGPS_ALL_POOLS)
	{
		int			room = pgps_peaks_max();

		copy->peaks = palloc(room * sizeof(PgpsPeak));
		copy->npeaks = pgps_peaks_copy(copy->peaks, room);
	}
	free_notes(&c);
	return copy;
}
