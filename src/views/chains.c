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

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "analysis/holdup.h"
#include "analysis/snapshot.h"
#include "base/table.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "registry/told.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_chains);

#define CHAIN_COLUMNS(C) \
	C(pool, text, pool ? pool->data->key.name : NULL) \
	C(datname, name, pgps_database_name(named)) \
	C(usename, name, pgps_role_name(named)) \
	C(bottleneck, text, bottleneck(pool, &holdup)) \
	C(reason, text, pgps_holdup_name(holdup.kind)) \
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
	C(waiting_application, text, and_others(holdup.waiting_app, holdup.several_wait)) \
	C(holding_application, text, holding_application(&holdup, chains->snapshot)) \
	C(cancels_waiting, int4, told != NULL ? told->told.cancels : -1) \
	C(connections, int8, here.connections) \
	C(in_xact, int8, here.in_xact)

/* connections to this server */
typedef struct Here
{
	int			connections;
	int			in_xact;
} Here;

/* a pooler's pool: its connections here, and does a pool come through it? */
typedef struct StageKey
{
	Oid			roleid;
	Oid			dbid;
	char		pooler[PGPS_POOL_LEN];	/* padded with zeros */
} StageKey;

typedef struct Stage
{
	StageKey	key;
	Here		here;
	bool		used;
} Stage;

/* an application's pool comes through a pooler */
typedef struct WayKey
{
	const PgpsPoolState *pool;
	char		pooler[PGPS_POOL_LEN];	/* padded with zeros */
} WayKey;

/* the pools of poolers for one role and database: one of each pooler */
typedef struct PoolerPoolsKey
{
	Oid			roleid;
	Oid			dbid;
} PoolerPoolsKey;

typedef struct PoolerPools
{
	PoolerPoolsKey key;
	List	   *pools;			/* const PgpsPoolState */
} PoolerPools;

/* everything is looked at once, however many pools there are */
typedef struct Chains
{
	const PgpsSnapshot *snapshot;
	HTAB	   *stages;			/* of Stage */
	HTAB	   *ways;			/* of WayKey */
	HTAB	   *pooler_pools;	/* of PoolerPools */
} Chains;

static Stage *
find_stage(const Chains *chains, Oid roleid, Oid dbid, const char *pooler)
{
	StageKey	key;
	Stage	   *stage;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.roleid = roleid;
	key.dbid = dbid;
	strlcpy(key.pooler, pooler, sizeof(key.pooler));
	stage = hash_search(chains->stages, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset(&stage->here, 0, sizeof(Here));
		stage->used = false;
	}
	return stage;
}

static Stage *
stage_of(const Chains *chains, const PgpsPoolState *pooler_pool)
{
	const PgpsPoolKey *key = &pooler_pool->data->key;

	return find_stage(chains, key->roleid, key->dbid, key->name);
}

static List **
pooler_pools(const Chains *chains, const PgpsPoolKey *pool)
{
	PoolerPoolsKey key = {pool->roleid, pool->dbid};
	bool		found;
	PoolerPools *pools = hash_search(chains->pooler_pools, &key, HASH_ENTER,
									 &found);

	if (!found)
		pools->pools = NIL;
	return &pools->pools;
}

/* Does an application's pool come through a pooler?  From now on if "note". */
static bool
comes_through(const Chains *chains, const PgpsPoolState *pool,
			  const char *pooler, bool note)
{
	WayKey		key;

	memset(&key, 0, sizeof(key));
	key.pool = pool;
	strlcpy(key.pooler, pooler, sizeof(key.pooler));
	return hash_search(chains->ways, &key, note ? HASH_ENTER : HASH_FIND,
					   NULL) != NULL;
}

static bool
is_application(const PgpsPoolState *pool)
{
	return pool->live > 0 && pool->source != PGPS_SOURCE_POOLER;
}

static void
look_at_connections(Chains *chains)
{
	const PgpsSnapshot *snapshot = chains->snapshot;
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);
		const char *pooler;
		Stage	   *stage;

		CHECK_FOR_INTERRUPTS();
		if (backend->pooler == PGPS_NO_POOLER)
			continue;
		pooler = snapshot->poolers[backend->pooler].name;
		stage = find_stage(chains, backend->roleid, backend->dbid, pooler);
		stage->here.connections++;
		stage->here.in_xact += backend->in_xact;

		/* one instance may come through several pools of poolers */
		if (state != NULL)
			comes_through(chains, state->pool, pooler, true);
	}
}

static Chains *
find_chains(const PgpsSnapshot *snapshot)
{
	Chains	   *chains = palloc(sizeof(Chains));
	const ListCell *lc;
	int			i;

	chains->snapshot = snapshot;
	chains->stages = pgps_make_table("pgpool_stats chains", 64,
									 sizeof(StageKey), sizeof(Stage));
	chains->ways = pgps_make_table("pgpool_stats chains", 64,
								   sizeof(WayKey), sizeof(WayKey));
	chains->pooler_pools = pgps_make_table("pgpool_stats chains", 64,
										   sizeof(PoolerPoolsKey), sizeof(PoolerPools));

	look_at_connections(chains);
	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];

		CHECK_FOR_INTERRUPTS();
		if (state->live && state->via != NULL)
			comes_through(chains, state->pool, state->via, true);
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		PgpsPoolState *pool = &snapshot->pools[i];

		CHECK_FOR_INTERRUPTS();
		if (pool->live > 0 && pool->source == PGPS_SOURCE_POOLER)
		{
			List	  **pools = pooler_pools(chains, &pool->data->key);

			*pools = lappend(*pools, pool);
		}
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];

		if (!is_application(pool))
			continue;
		foreach(lc, *pooler_pools(chains, &pool->data->key))
		{
			const PgpsPoolState *pooler_pool = lfirst(lc);

			CHECK_FOR_INTERRUPTS();
			if (comes_through(chains, pool, pooler_pool->data->key.name, false))
				stage_of(chains, pooler_pool)->used = true;
		}
	}
	return chains;
}

/*
 * Where is the bottleneck that callers wait for?  The queue nearest to the
 * server is looked at first: those before it follow from it.
 */
static const char *
bottleneck(const PgpsPoolState *pool, const PgpsHoldup *holdup)
{
	if (holdup->kind != PGPS_HOLDUP_NONE)
		return pgps_is_at_server(holdup->kind) ? "server" : "pooler";
	return pool != NULL &&
		(pgps_get(&pool->sum, PGPS_WAITING, 0) > 0 ||
		 pool->status == PGPS_EXHAUSTED) ? "application" : NULL;
}

/* The connections of a pool: its own, or those that its pooler holds */
static Here
connections_here(const Chains *chains, const PgpsPoolState *pool,
				 const PgpsPoolState *pooler)
{
	Here		here;

	if (pooler != NULL)
		return stage_of(chains, pooler)->here;
	here.connections = pool->connections;
	here.in_xact = pool->in_xact;
	return here;
}

static const char *
and_others(const char *name, bool others)
{
	return others && name[0] != '\0' ? psprintf("%s and others", name) : name;
}

/* Whose idle sessions hold the connections of a pooler? */
static const char *
holding_application(const PgpsHoldup *holdup, const PgpsSnapshot *snapshot)
{
	const PgpsInstanceState *state;

	if (holdup->kind != PGPS_HOLDUP_IDLE_SESSIONS)
		return NULL;
	state = pgps_instance_of(snapshot, holdup->longest);
	return state == NULL ? NULL :
		and_others(state->pool->data->key.name, holdup->several_hold);
}

static const char *
pool_mode(const PgpsPoolState *pool)
{
	return pool->ninstances > 0 ? pool->instances[0]->data->pool_mode : NULL;
}

/* "pool" or "pooler" may be NULL. */
static void
put_chain(PgpsRow *row, const Chains *chains,
		  const PgpsPoolState *pool, const PgpsPoolState *pooler)
{
	static const PgpsValues unknown = {0};

	/* cppcheck-suppress nullPointer */
	const PgpsPool *named = pool ? pool->data : pooler->data;
	const PgpsValues *in_pool = pool ? &pool->sum : &unknown;
	const PgpsValues *in_pooler = pooler ? &pooler->sum : &unknown;
	Here		here = connections_here(chains, pool, pooler);
	const PgpsInstanceState *state = pooler ? pgps_held_up_most(pooler) : NULL;
	const PgpsInstance *told = state ? state->data : NULL;
	PgpsHoldup	holdup = {0};

	if (state != NULL)
		pgps_find_holdup(&holdup, state, chains->snapshot);
	PGPS_PUT_ROW(CHAIN_COLUMNS);
}

/* The rows of an application's pool: one for each pooler's pool on its way */
static void
put_application_chains(PgpsRow *row, const Chains *chains,
					   const PgpsPoolState *pool)
{
	const ListCell *lc;
	int			n = 0;

	foreach(lc, *pooler_pools(chains, &pool->data->key))
	{
		const PgpsPoolState *pooler_pool = lfirst(lc);

		if (comes_through(chains, pool, pooler_pool->data->key.name, false))
		{
			put_chain(row, chains, pool, pooler_pool);
			n++;
		}
	}
	if (n == 0)
		put_chain(row, chains, pool, NULL);
}

Datum
pgps_get_chains(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(CHAIN_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const Chains *chains = find_chains(snapshot);
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		if (is_application(pool))
			put_application_chains(row, chains, pool);
		else if (pool->live > 0 && pgps_known(&pool->sum, PGPS_OPEN) &&
				 !stage_of(chains, pool)->used)
			put_chain(row, chains, NULL, pool);
	}
	return (Datum) 0;
}
