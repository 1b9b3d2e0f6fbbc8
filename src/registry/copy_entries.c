/*-------------------------------------------------------------------------
 *
 * copy_entries.c
 *	  Copying one pool, one instance, all backends; and what changed meanwhile.
 *
 * See copy.c for what makes these one picture.  An instance is copied under its
 * spinlock; nothing that may raise an error is done with it.
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
#include "registry/backends.h"
#include "registry/copying.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/space.h"

/*
 * How often the slots of a changed instance are added up before that is done
 * under its spinlock, so that none is handed over meanwhile
 */
#define SUM_TRIES 3

/* Copy a pool, if it is wanted and there is room. */
void
pgps_copy_pool(PgpsCopying *c, int32 i)
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

/*
 * Copy an instance, if it is wanted and there is room.  "whole" is with what its
 * slots count, and by then nothing is given up.
 */
void
pgps_copy_instance(PgpsCopying *c, int32 i, bool whole)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	PgpsCopy   *copy = c->copy;
	int32		place = c->instance_places[i] - 1;
	PgpsInstanceCopy *to;
	PgpsHistogram *histogram = NULL;
	int			tries;

	if (!pgps_is_wanted(c, pgps_instance_pools[i] - 1))
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
		(void) *((volatile char *) (&pgps_xact_times[i] + 1) - 1);

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
			*histogram = pgps_xact_times[i].all;
		if (c->bases != NULL)
			memcpy(c->bases[place],
				   pgps_xact_times[i].base[1 - pgps_xact_times[i].turn],
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

/* Copy the backends, and add what they count to their instances. */
void
pgps_copy_backends(PgpsCopying *c)
{
	PgpsCopy   *copy = c->copy;
	int			procno;

	copy->backends_at = GetCurrentTimestamp();
	for (procno = 0; procno < MaxConnections; procno++)
	{
		PgpsBackend *backend = &copy->backends[copy->nbackends];
		PgpsInstanceCopy *instance;

		if (procno % PGPS_COPY_BLOCK == 0)
			CHECK_FOR_INTERRUPTS();
		if (c->only_pool != PGPS_ALL_POOLS &&
			pgps_copied_instance(c, pgps_instance_at(procno)) == NULL)
			continue;
		if (!pgps_backend_copy(backend, procno, copy->backends_at))
			continue;
		copy->nbackends++;
		instance = pgps_copied_instance(c, backend->instance);
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
bool
pgps_copy_changed(PgpsCopying *c, int most)
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
			pgps_copy_pool(c, i);
		}
	}
	for (i = 0; i < c->instances_end && done; i++)
	{
		if (!has_changed(c->instance_changes[i], pgps_instance_changes[i]) ||
			(c->instance_places[i] == 0 &&
			 !pgps_is_wanted(c, pgps_instance_pools[i] - 1)))
			continue;
		done = most-- > 0;
		if (done)
			pgps_copy_instance(c, i, true);
	}
	pgps_unlock_registry();
	return done;
}
