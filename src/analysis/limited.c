/*-------------------------------------------------------------------------
 *
 * limited.c
 *	  What pool_limits means in a snapshot.
 *
 * Counts as who joins does (registry/pool_limits.c).  Needs a transaction: who
 * is never refused stands in the catalogs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "analysis/limited.h"
#include "registry/backends.h"
#include "registry/registry.h"
#include "server/pool_limit.h"

static void
count(const PgpsSnapshot *snapshot, PgpsLimited *limited,
	  const PgpsBackend *backend)
{
	if (pgps_pooler_between(snapshot, backend) != NULL)
		limited->by_pooler++;
	else if (!backend->not_limited)
	{
		limited->connections++;
		limited->came_later += backend->came_later;
	}
}

/*
 * For each pool of the snapshot, in the current memory context; NULL if nothing
 * is limited.
 */
PgpsLimited *
pgps_find_limited(const PgpsSnapshot *snapshot)
{
	PgpsLimited *all;
	int			i;

	if (pgps_pool_limits == NULL)
		return NULL;
	all = palloc0(Max(snapshot->npools, 1) * sizeof(PgpsLimited));
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPool *pool = snapshot->pools[i].data;

		CHECK_FOR_INTERRUPTS();
		all[i].limit = pgps_find_pool_limit(pool->key.name,
											NameStr(pool->usename),
											NameStr(pool->datname));
		all[i].exempt = all[i].limit != NULL &&
			!pgps_role_is_limited(pool->key.roleid);
	}
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		CHECK_FOR_INTERRUPTS();
		if (state != NULL)
			count(snapshot, &all[state->pool - snapshot->pools], backend);
	}
	return all;
}

/* The limit that would refuse a connection of such a pool, or NULL */
const PgpsPoolLimit *
pgps_refusing_limit(const char *pool, Oid roleid, const char *usename,
					const char *datname)
{
	const PgpsPoolLimit *limit = pgps_find_pool_limit(pool, usename, datname);

	if (limit == NULL || limit->warns || !pgps_role_is_limited(roleid))
		return NULL;
	return limit;
}
