/*-------------------------------------------------------------------------
 *
 * chains.c
 *	  The function behind the view chains.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/snapshot.h"
#include "poolers/poolers.h"
#include "registry/bindings.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_chains);

#define CHAIN_COLUMNS(C) \
	C(pool, text, pool ? pool->data->key.name : NULL) \
	C(datname, name, pgps_database_name(named)) \
	C(usename, name, pgps_role_name(named)) \
	C(bottleneck, text, bottleneck(pool, pooler)) \
	C(instances, int4, pool ? pool->live : -1) \
	C(max_size, figure8, in_pool, PGPS_MAX_SIZE) \
	C(checked_out, figure8, in_pool, PGPS_CHECKED_OUT) \
	C(waiting, figure8, in_pool, PGPS_WAITING) \
	C(max_wait, figure_ms, in_pool, PGPS_MAX_WAIT) \
	C(pooler, text, pooler ? pooler->data->key.name : pool->via) \
	C(pool_mode, text, pooler ? pool_mode(pooler) : NULL) \
	C(clients, figure8, in_pooler, PGPS_CLIENTS) \
	C(pooler_max_size, figure8, in_pooler, PGPS_MAX_SIZE) \
	C(pooler_checked_out, figure8, in_pooler, PGPS_CHECKED_OUT) \
	C(pooler_waiting, figure8, in_pooler, PGPS_WAITING) \
	C(pooler_max_wait, figure_ms, in_pooler, PGPS_MAX_WAIT) \
	C(connections, int8, here.connections) \
	C(in_xact, int8, here.in_xact)

/* connections to this server */
typedef struct Here
{
	int			connections;
	int			in_xact;
} Here;

/* Does an application's pool come through this pool of a pooler? */
static bool
comes_through(const PgpsSnapshot *snapshot, const PgpsPoolState *pool,
			  const PgpsPoolState *pooler_pool)
{
	const PgpsPoolKey *key = &pooler_pool->data->key;
	int			i;

	if (pool->live == 0 || pool->source == PGPS_SOURCE_POOLER ||
		pool->data->key.roleid != key->roleid ||
		pool->data->key.dbid != key->dbid)
		return false;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];

		if (state->live && state->via != NULL && strcmp(state->via, key->name) == 0)
			return true;
	}

	/* one instance may come through several pools of poolers */
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		if (state != NULL && state->pool == pool &&
			backend->pooler != PGPS_NO_POOLER &&
			strcmp(snapshot->poolers[backend->pooler].name, key->name) == 0)
			return true;
	}
	return false;
}

static bool
waits(const PgpsPoolState *pool)
{
	return pool != NULL &&
		(pgps_get(&pool->sum, PGPS_WAITING, 0) > 0 ||
		 pool->status == PGPS_EXHAUSTED);
}

/*
 * Where is the bottleneck that callers wait for?  The queue nearest to the
 * server is looked at first: those before it follow from it.
 */
static const char *
bottleneck(const PgpsPoolState *pool, const PgpsPoolState *pooler_pool)
{
	if (waits(pooler_pool))
	{
		const PgpsValues *sum = &pooler_pool->sum;

		/* it has lent all, and may open more: the server gives it none */
		return pgps_get(sum, PGPS_OPEN, 0) <
			pgps_get(sum, PGPS_POOL_SIZE, PG_INT32_MAX) ? "server" : "pooler";
	}
	return waits(pool) ? "application" : NULL;
}

/* The connections of a pool: its own, or those that its pooler holds */
static Here
connections_here(const PgpsSnapshot *snapshot, const PgpsPoolState *pool,
				 const PgpsPoolState *pooler)
{
	Here		here = {0, 0};
	const PgpsPoolKey *key;
	int			i;

	if (pooler == NULL)
	{
		here.connections = pool->connections;
		here.in_xact = pool->in_xact;
		return here;
	}
	key = &pooler->data->key;
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		if (backend->pooler != PGPS_NO_POOLER &&
			strcmp(snapshot->poolers[backend->pooler].name, key->name) == 0 &&
			backend->roleid == key->roleid && backend->dbid == key->dbid)
		{
			here.connections++;
			here.in_xact += backend->in_xact;
		}
	}
	return here;
}

static const char *
pool_mode(const PgpsPoolState *pool)
{
	return pool->ninstances > 0 ? pool->instances[0]->data->pool_mode : NULL;
}

/* "pool" or "pooler" may be NULL. */
static void
put_chain(PgpsRow *row, const PgpsSnapshot *snapshot,
		  const PgpsPoolState *pool, const PgpsPoolState *pooler)
{
	static const PgpsValues unknown = {0};
	/* cppcheck-suppress nullPointer */
	const PgpsPool *named = pool ? pool->data : pooler->data;
	const PgpsValues *in_pool = pool ? &pool->sum : &unknown;
	const PgpsValues *in_pooler = pooler ? &pooler->sum : &unknown;
	Here		here = connections_here(snapshot, pool, pooler);

	PGPS_PUT_ROW(CHAIN_COLUMNS);
}

/* The rows of an application's pool: one for each pooler's pool on its way */
static void
put_application_chains(PgpsRow *row, const PgpsSnapshot *snapshot,
					   const PgpsPoolState *pool)
{
	int			i,
				n = 0;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *other = &snapshot->pools[i];

		if (other->live > 0 && other->source == PGPS_SOURCE_POOLER &&
			comes_through(snapshot, pool, other))
		{
			put_chain(row, snapshot, pool, other);
			n++;
		}
	}
	if (n == 0)
		put_chain(row, snapshot, pool, NULL);
}

/* The row of a pooler's pool that no application's pool is known to use */
static void
put_pooler_chain(PgpsRow *row, const PgpsSnapshot *snapshot,
				 const PgpsPoolState *pooler_pool)
{
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		if (comes_through(snapshot, &snapshot->pools[i], pooler_pool))
			return;
	}
	put_chain(row, snapshot, NULL, pooler_pool);
}

Datum
pgps_get_chains(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(CHAIN_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		if (pool->live == 0)
			continue;
		if (pool->source != PGPS_SOURCE_POOLER)
			put_application_chains(row, snapshot, pool);
		else if (pgps_known(&pool->sum, PGPS_OPEN))
			put_pooler_chain(row, snapshot, pool);
	}
	return (Datum) 0;
}
