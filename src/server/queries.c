/*-------------------------------------------------------------------------
 *
 * queries.c
 *	  The queries that connections of a pool are busiest with.
 *
 * Samples of what connections in a transaction do are added up by query id, the
 * 16 busiest of each pool: when another one comes, the one with least gives its
 * place up, and what comes begins with that weight, so that it is not the next to
 * go.  What is shown is the time since it got its place: never more than it
 * took.  No text is read.
 *
 * Shared, and begun anew when the server starts.  The collector alone writes,
 * under PGPS_QUERIES_LOCK, which it takes once for all samples of a moment.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "base/shmem.h"
#include "registry/registry.h"
#include "server/queries.h"

static PgpsQueries *shared = NULL;	/* by number of the pool */

Size
pgps_queries_size(void)
{
	return mul_size(pgps_pool_capacity(), sizeof(PgpsQueries));
}

/* The area is zeroed: nothing is known. */
void
pgps_queries_init(void *area, bool found)
{
	shared = area;
}

/* Are they of another pool that had its number, or from before a reset? */
static bool
are_old(const PgpsQueries *queries, const PgpsPool *pool)
{
	return queries->owner != pool->first_seen ||
		queries->since < pool->reset_at;
}

/* False if nothing is known of that pool. */
bool
pgps_queries_read(PgpsQueries *queries, const PgpsPoolCopy *pool)
{
	pgps_acquire(PGPS_QUERIES_LOCK, LW_SHARED);
	*queries = shared[pool->index];
	pgps_release(PGPS_QUERIES_LOCK);
	return !are_old(queries, &pool->data);
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

/* Begin anew if another pool has that number now, or it was reset. */
void
pgps_queries_note_owner(const PgpsPoolCopy *pool, TimestampTz now)
{
	PgpsQueries *of = &shared[pool->index];

	if (!are_old(of, &pool->data))
		return;
	pgps_acquire(PGPS_QUERIES_LOCK, LW_EXCLUSIVE);
	memset(of, 0, sizeof(PgpsQueries));
	of->owner = pool->data.first_seen;
	of->since = Max(now, pool->data.reset_at);
	pgps_release(PGPS_QUERIES_LOCK);
}

void
pgps_queries_begin(void)
{
	pgps_acquire(PGPS_QUERIES_LOCK, LW_EXCLUSIVE);
}

void
pgps_queries_end(void)
{
	pgps_release(PGPS_QUERIES_LOCK);
}

static PgpsQuery *
find_query(PgpsQueries *of, int64 queryid)
{
	PgpsQuery  *least = &of->query[0];
	int64		weight;
	int			i;

	for (i = 0; i < of->n; i++)
	{
		if (of->query[i].queryid == queryid)
			return &of->query[i];
		if (of->query[i].weight < least->weight)
			least = &of->query[i];
	}
	if (of->n < PGPS_QUERIES)
		least = &of->query[of->n++];
	weight = least->weight;
	memset(least, 0, sizeof(PgpsQuery));
	least->queryid = queryid;
	least->weight = weight;
	return least;
}

/*
 * Add a sample that stands for so much time: what a connection was busy with, or
 * PGPS_PARTS if it was idle in its transaction.  queryid: 0 = unknown.
 */
void
pgps_queries_add(int32 pool, int64 queryid, int part, int64 time)
{
	PgpsQueries *of = &shared[pool];
	PgpsQuery  *query;

	if (of->owner == 0)
		return;					/* its first pass is yet to come */
	of->all += time;
	if (queryid == 0)
		return;
	query = find_query(of, queryid);
	query->weight += time;
	if (part < PGPS_PARTS)
		query->part[part] += time;
	else
		query->idle += time;
}
