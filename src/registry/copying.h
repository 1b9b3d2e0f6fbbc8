/*-------------------------------------------------------------------------
 *
 * copying.h
 *	  A copy of the registry in the making; for copy.c and copy_entries.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COPYING_H
#define PGPS_COPYING_H

#include "datatype/timestamp.h"

#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/space.h"

/* entries that are copied without looking at interrupts */
#define PGPS_COPY_BLOCK 256

typedef struct PgpsCopying
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
} PgpsCopying;

/* Is it an instance of a pool that is wanted? */
static inline bool
pgps_is_wanted(const PgpsCopying *c, int32 pool)
{
	return pool != PGPS_NONE &&
		(c->only_pool == PGPS_ALL_POOLS || pool == c->only_pool);
}

/* The copy of an entry, or NULL */
static inline PgpsInstanceCopy *
pgps_copied_instance(const PgpsCopying *c, int32 i)
{
	if (i == PGPS_NO_INSTANCE || i >= c->instances_end ||
		c->instance_places[i] == 0)
		return NULL;
	return &c->copy->instances[c->instance_places[i] - 1];
}

extern void pgps_copy_pool(PgpsCopying *c, int32 i);
extern void pgps_copy_instance(PgpsCopying *c, int32 i, bool whole);
extern void pgps_copy_backends(PgpsCopying *c);
extern bool pgps_copy_changed(PgpsCopying *c, int most);

#endif							/* PGPS_COPYING_H */
