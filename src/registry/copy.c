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
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "registry/entries.h"

/* entries that are copied without looking at interrupts */
#define BLOCK 256

/* changed instances that are copied anew under one lock ... */
#define BATCH 64

/* ... but for the last of so many turns, which takes all */
#define TURNS 500

/*
 * How often the slots of a changed instance are added up before that is done
 * under its spinlock, so that none is handed over meanwhile
 */
#define SUM_TRIES 3

/*
 * So many more may be made while we copy.  If it were more, some that were
 * there before would find no room: then all is copied again, with four times
 * as much of it, so often at most.
 */
#define MORE_POOLS 16
#define MORE_INSTANCES 64
#define TRIES 5

typedef struct Copying
{
	PgpsCopy   *copy;
	PgpsHistograms histograms;
	int32		only_pool;
	TimestampTz now;
	int			more_pools;
	int			more_instances;
	bool		full;			/* something found no room */
	int			room_for_pools;
	int			room_for_instances;
	PgpsHistogram *instance_histograms; /* by place, if asked for */
	uint32		(*bases)[PGPS_XACT_BUCKETS];	/* likewise, of recent ones */

	/* by number of the entry, which is below these */
	int32		pools_end;
	int32		instances_end;
	uint32	   *pool_changes;	/* as noted */
	uint32	   *instance_changes;
	int32	   *pool_places;	/* place in the copy + 1; 0 = not there */
	int32	   *instance_places;
	bool	   *changed_hands;	/* after its backends were copied */
} Copying;

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
prepare(Copying *c)
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
note_changes(Copying *c)
{
	memcpy(c->pool_changes, (const void *) pgps_pool_changes,
		   c->pools_end * sizeof(uint32));
	memcpy(c->instance_changes, (const void *) pgps_instance_changes,
		   c->instances_end * sizeof(uint32));
	pg_read_barrier();
}

/*-------------------------------------------------------------------------
 * Copying
 *-------------------------------------------------------------------------
 */

/* Copy a pool, if it is wanted and there is room. */
static void
copy_pool(Copying *c, int32 i)
{
	PgpsCopy   *copy = c->copy;
	int32		place = c->pool_places[i] - 1;

	if (c->only_pool != PGPS_ALL_POOLS && i != c->only_pool)
		return;
	if (!pgps_pools[i].used)
	{
		if (place != PGPS_NONE)
			copy->pools[place].index = PGPS_NONE;
		c->pool_places[i] = 0;
		return;
	}
	if (place == PGPS_NONE)
	{
		if (copy->npools == c->room_for_pools)
		{
			c->full = true;
			return;
		}
		place = copy->npools++;
		c->pool_places[i] = place + 1;
	}
	copy->pools[place].index = i;
	copy->pools[place].data = pgps_pools[i].data;
}

static inline bool
is_wanted(const Copying *c, int32 pool)
{
	return pool != PGPS_NONE &&
		(c->only_pool == PGPS_ALL_POOLS || pool == c->only_pool);
}

/*
 * Copy an instance, if it is wanted and there is room.  "whole" is with what its
 * slots count, and by then nothing is given up.
 */
static void
copy_instance(Copying *c, int32 i, bool whole)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	PgpsCopy   *copy = c->copy;
	int32		place = c->instance_places[i] - 1;
	PgpsInstanceCopy *to;
	PgpsHistogram *histogram = NULL;
	int			tries;

	if (!is_wanted(c, pgps_instance_pools[i] - 1))
	{
		if (place != PGPS_NONE)
			copy->instances[place].index = PGPS_NONE;
		c->instance_places[i] = 0;
		c->instance_changes[i] = pgps_instance_changes[i];
		return;
	}
	if (place == PGPS_NONE)
	{
		if (copy->ninstances == c->room_for_instances)
		{
			c->instance_changes[i] = pgps_instance_changes[i];
			c->full = true;
			return;
		}
		place = copy->ninstances++;
		c->instance_places[i] = place + 1;
		c->changed_hands[i] = whole;
	}
	to = &copy->instances[place];
	to->index = i;
	if (c->instance_histograms != NULL)
		histogram = &c->instance_histograms[place];
	to->histogram = histogram;

	/* the entry's own page may be new to this process */
	(void) *(volatile char *) entry;
	(void) *((volatile char *) (&entry->data + 1) - 1);
	if (histogram != NULL)
		(void) *((volatile char *) (&entry->xact_times + 1) - 1);

	for (tries = 0;; tries++)
	{
		bool		hold = whole && tries == SUM_TRIES;
		uint32		changes;

		SpinLockAcquire(&entry->mutex);
		changes = pgps_instance_changes[i];
		if (whole && tries == 0)
			c->changed_hands[i] = c->changed_hands[i] ||
				to->data.pool != entry->data.pool ||
				to->data.first_seen != entry->data.first_seen ||
				strcmp(to->data.name, entry->data.name) != 0;
		to->data = entry->data;
		to->generation = entry->activity.generation;
		if (histogram != NULL)
			*histogram = entry->xact_times.all;
		if (c->bases != NULL)
			memcpy(c->bases[place],
				   entry->xact_times.base[1 - entry->xact_times.turn],
				   sizeof(c->bases[place]));
		if (hold)
			pgps_backends_sum(i, to->generation, copy->backends_at,
							  &to->data.counters, histogram);
		SpinLockRelease(&entry->mutex);
		if (!whole)
			break;
		c->instance_changes[i] = changes;
		if (hold)
			break;
		pgps_backends_sum(i, to->generation, copy->backends_at,
						  &to->data.counters, histogram);
		pg_read_barrier();
		if (changes == pgps_instance_changes[i])
			break;
	}
	pgps_activity_copy(&to->activity, &to->data.counters, &entry->activity,
					   c->now);
}

/* The copy of an entry, or NULL */
static PgpsInstanceCopy *
copied_instance(const Copying *c, int32 i)
{
	if (i == PGPS_NO_INSTANCE || i >= c->instances_end ||
		c->instance_places[i] == 0)
		return NULL;
	return &c->copy->instances[c->instance_places[i] - 1];
}

/* Copy the backends, and add what they count to their instances. */
static void
copy_backends(Copying *c)
{
	PgpsCopy   *copy = c->copy;
	int			procno;

	copy->backends_at = GetCurrentTimestamp();
	for (procno = 0; procno < MaxConnections; procno++)
	{
		PgpsBackend *backend = &copy->backends[copy->nbackends];
		PgpsInstanceCopy *instance;

		if (procno % BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (c->only_pool != PGPS_ALL_POOLS &&
			copied_instance(c, pgps_instance_at(procno)) == NULL)
			continue;
		if (!pgps_backend_copy(backend, procno, copy->backends_at))
			continue;
		copy->nbackends++;
		instance = copied_instance(c, backend->instance);
		if (instance != NULL &&
			pgps_own_add(&instance->data.counters, &backend->own,
						 instance->generation) &&
			instance->histogram != NULL)
			pgps_histogram_add(instance->histogram,
							   pgps_backend_histogram(backend));
	}
}

static inline bool
has_changed(uint32 noted, uint32 changes)
{
	return noted != changes || (noted & 1) != 0;
}

/*
 * Copy what has changed anew, so many instances at most.  Returns whether that
 * was all of it.
 */
static bool
copy_changed(Copying *c, int most)
{
	bool		done = true;
	int32		i;

	pgps_lock_registry(LW_SHARED);
	pg_read_barrier();
	for (i = 0; i < c->pools_end; i++)
	{
		if (has_changed(c->pool_changes[i], pgps_pool_changes[i]))
		{
			c->pool_changes[i] = pgps_pool_changes[i];
			copy_pool(c, i);
		}
	}
	for (i = 0; i < c->instances_end && done; i++)
	{
		if (!has_changed(c->instance_changes[i], pgps_instance_changes[i]) ||
			(c->instance_places[i] == 0 &&
			 !is_wanted(c, pgps_instance_pools[i] - 1)))
			continue;
		done = most-- > 0;
		if (done)
			copy_instance(c, i, true);
	}
	pgps_unlock_registry();
	return done;
}

/*-------------------------------------------------------------------------
 * Afterwards
 *-------------------------------------------------------------------------
 */

/* Close the gaps that entries given up have left, and those without a pool. */
static void
drop_missing(Copying *c)
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
is_at_copied(const Copying *c, const PgpsBackend *backend)
{
	int32		i = backend->instance;

	if (copied_instance(c, i) == NULL)
		return false;
	if (!c->changed_hands[i])
		return true;
	if (pgps_instance_at(backend->procno) != i)
		return false;
	pg_read_barrier();
	return c->instance_changes[i] == pgps_instance_changes[i];
}

static void
settle_backends(Copying *c)
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
copy_once(Copying *c)
{
	int			turn;
	int32		i;

	prepare(c);
	note_changes(c);
	for (i = 0; i < c->pools_end; i++)
		copy_pool(c, i);
	for (i = 0; i < c->instances_end; i++)
	{
		if (i % BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (is_wanted(c, pgps_instance_pools[i] - 1))
			copy_instance(c, i, false);
	}
	copy_backends(c);
	pg_read_barrier();
	for (turn = 1;
		 !copy_changed(c, turn < TURNS ? BATCH : c->instances_end); turn++)
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
free_notes(Copying *c)
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
start_over(Copying *c)
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
	Copying		c = {
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
