/*-------------------------------------------------------------------------
 *
 * views_poolers.c
 *	  The functions behind the views poolers and chains.
 *
 * What goes wrong with a pooler may name hosts, users and files: the view
 * poolers is for members of pg_read_all_stats.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/snapshot.h"
#include "base/shmem.h"
#include "poolers/poolers.h"
#include "registry/bindings.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_poolers);
PG_FUNCTION_INFO_V1(pgps_get_chains);

static const PgpsPooler *
find_pooler(const PgpsPooler *poolers, const char *name)
{
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		if (strcmp(poolers[i].name, name) == 0)
			return &poolers[i];
	}
	return NULL;
}

/* Why is nothing known of a pooler that is to be polled? */
static const char *
why_unknown(void)
{
	if (pgps_poller_runs())
		return "not polled yet";
	return pgps_poller_has_no_worker() ?
		"there is no process for the poller: raise max_worker_processes" :
		"the poller does not run";
}

/* A row for each pooler of the setting, in its order */
Datum
pgps_get_poolers(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsPooler *poolers;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	poolers = pgps_poolers_copy();
	for (i = 0; pgps_pooler_list != NULL && i < pgps_pooler_list->count; i++)
	{
		const char *name = pgps_pooler_list->item[i].name;
		const PgpsPooler *pooler = find_pooler(poolers, name);
		bool		tried = pooler != NULL &&
			(pooler->reachable || pooler->error[0] != '\0');

		if (!pgps_sees_all())
			break;
		pgps_put_text(&row, name);
		if (!tried)
		{
			pgps_put_nulls(&row, 8);
			pgps_put_text(&row, why_unknown());
			pgps_row_end(&row);
			continue;
		}
		pgps_put_text(&row, pooler->product);
		pgps_put_text(&row, pooler->version);
		pgps_put_bool(&row, pooler->reachable);
		pgps_put_time(&row, pooler->last_poll);
		if (pooler->last_poll != 0)
			pgps_put_float8(&row, pooler->poll_time / 1000.0);
		else
			pgps_put_null(&row);
		pgps_put_known4(&row, pooler->max_client_conn);
		pgps_put_known4(&row, pooler->clients);
		pgps_put_known4(&row, pooler->max_db_connections > 0 ?
						pooler->max_db_connections : -1);
		pgps_put_text(&row, pooler->error);
		pgps_row_end(&row);
	}
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 * Chains
 *-------------------------------------------------------------------------
 */

/* Does an application's pool come through this pool of a pooler? */
static bool
comes_through(const PgpsSnapshot *snapshot, const PgpsPoolView *pool,
			  const PgpsPoolView *pooler_pool)
{
	const PgpsPoolKey *key = &pooler_pool->data->key;
	int			i;

	if (pool->live == 0 || pool->source == PGPS_SOURCE_POOLER ||
		pool->data->key.roleid != key->roleid ||
		pool->data->key.dbid != key->dbid)
		return false;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceView *view = pool->instances[i];

		if (view->live && view->via != NULL && strcmp(view->via, key->name) == 0)
			return true;
	}

	/* one instance may come through several */
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceView *view = pgps_instance_of(snapshot, backend);

		if (view != NULL && view->pool == pool &&
			backend->pooler != PGPS_NO_POOLER &&
			strcmp(snapshot->poolers[backend->pooler].name, key->name) == 0)
			return true;
	}
	return false;
}

static bool
waits(const PgpsPoolView *pool)
{
	return pool != NULL &&
		(pgps_get(&pool->sum, PGPS_WAITING, 0) > 0 ||
		 pool->status == PGPS_EXHAUSTED);
}

/*
 * Where do callers wait for want of something?  The place next to the server
 * is the one to look at: the queues before it follow from it.
 */
static const char *
bottleneck(const PgpsPoolView *pool, const PgpsPoolView *pooler_pool)
{
	if (waits(pooler_pool))
	{
		const PgpsValues *sum = &pooler_pool->sum;

		/* it has none to lend, and may open more: the server gives none */
		return pgps_get(sum, PGPS_OPEN, 0) <
			pgps_get(sum, PGPS_POOL_SIZE, PG_INT32_MAX) ? "server" : "pooler";
	}
	return waits(pool) ? "application" : NULL;
}

/* What an application or a pooler lends, to whom, and who waits */
static void
put_use(PgpsRow *row, const PgpsPoolView *pool)
{
	pgps_put_figure8(row, &pool->sum, PGPS_MAX_SIZE);
	pgps_put_figure8(row, &pool->sum, PGPS_CHECKED_OUT);
	pgps_put_figure8(row, &pool->sum, PGPS_WAITING);
	pgps_put_figure_ms(row, &pool->sum, PGPS_MAX_WAIT);
}

/* The server connections of a pool: its own, or those that its pooler holds */
static void
put_server(PgpsRow *row, const PgpsSnapshot *snapshot,
		   const PgpsPoolView *pool, const PgpsPoolView *pooler_pool)
{
	int64		connections = 0,
				in_xact = 0;
	int			i;

	if (pooler_pool == NULL)
	{
		connections = pool->connections;
		in_xact = pool->in_xact;
	}
	for (i = 0; pooler_pool != NULL && i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsPoolKey *key = &pooler_pool->data->key;

		if (backend->pooler != PGPS_NO_POOLER &&
			strcmp(snapshot->poolers[backend->pooler].name, key->name) == 0 &&
			backend->roleid == key->roleid && backend->dbid == key->dbid)
		{
			connections++;
			in_xact += backend->in_xact;
		}
	}
	pgps_put_int8(row, connections);
	pgps_put_int8(row, in_xact);
}

static const char *
pool_mode(const PgpsPoolView *pool)
{
	return pool->ninstances > 0 ? pool->instances[0]->data->pool_mode : NULL;
}

/* "pool" or "pooler_pool" may be NULL */
static void
put_chain(PgpsRow *row, const PgpsSnapshot *snapshot,
		  const PgpsPoolView *pool, const PgpsPoolView *pooler_pool)
{
	const PgpsPool *named = pool ? pool->data : pooler_pool->data;

	pgps_put_text(row, pool ? pool->data->key.name : NULL);
	pgps_put_name(row, pgps_database_name(named));
	pgps_put_name(row, pgps_role_name(named));
	pgps_put_text(row, bottleneck(pool, pooler_pool));
	if (pool != NULL)
	{
		pgps_put_int4(row, pool->live);
		put_use(row, pool);
	}
	else
		pgps_put_nulls(row, 5);
	if (pooler_pool != NULL)
	{
		pgps_put_text(row, pooler_pool->data->key.name);
		pgps_put_text(row, pool_mode(pooler_pool));
		pgps_put_figure8(row, &pooler_pool->sum, PGPS_CLIENTS);
		put_use(row, pooler_pool);
	}
	else
	{
		pgps_put_text(row, pool->via);
		pgps_put_nulls(row, 6);
	}
	put_server(row, snapshot, pool, pooler_pool);
	pgps_row_end(row);
}

/* The rows of an application's pool: one for each pooler's pool on its way */
static void
put_application(PgpsRow *row, const PgpsSnapshot *snapshot,
				const PgpsPoolView *pool)
{
	int			i,
				n = 0;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *other = &snapshot->pools[i];

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

/* The row of a pooler's pool that no application's is known to use */
static void
put_pooler(PgpsRow *row, const PgpsSnapshot *snapshot,
		   const PgpsPoolView *pooler_pool)
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
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];

		if (pool->live == 0 || !pgps_may_see(pool->data->key.roleid, sees_all))
			continue;
		if (pool->source != PGPS_SOURCE_POOLER)
			put_application(&row, snapshot, pool);
		else if (pgps_known(&pool->sum, PGPS_OPEN))
			put_pooler(&row, snapshot, pool);
	}
	return (Datum) 0;
}
