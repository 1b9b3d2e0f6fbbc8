/*-------------------------------------------------------------------------
 *
 * sizing.c
 *	  The function behind the view sizing; wait_probability().
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "analysis/history.h"
#include "analysis/sizing.h"
#include "analysis/snapshot.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/cores.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_sizing);
PG_FUNCTION_INFO_V1(pgps_sql_wait_probability);

#define SIZING_COLUMNS(C) \
	C(pool, text, pool ? pool->key.name : "(server)") \
	C(datname, name, pool ? pgps_database_name(pool) : NULL) \
	C(usename, name, pool ? pgps_role_name(pool) : NULL) \
	C(config, text, config) \
	C(observed, interval, sizing->observed) \
	C(basis, text, basis) \
	C(arrival_rate, float8, sizing->arrivals) \
	C(mean_use_time, float8, sizing->mean_use) \
	C(load, float8, sizing->load) \
	C(peak, int4, sizing->peak) \
	C(p99, int4, sizing->p99) \
	C(wait_probability, float8, sizing->wait_probability) \
	C(suggested, int4, sizing->suggested) \
	C(give_back, int8, give_back) \
	C(advice, text, advice)


/* wait_probability(connections int, load float8) -> float8 */
Datum
pgps_sql_wait_probability(PG_FUNCTION_ARGS)
{
	int32		connections = PG_GETARG_INT32(0);
	float8		load = PG_GETARG_FLOAT8(1);

	pgps_ensure_loaded();
	if (connections < 1 || connections > PGPS_MAX_CONNECTIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of connections must be between 1 and %d",
						PGPS_MAX_CONNECTIONS)));
	if (isnan(load) || load < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("load must not be negative")));
	PG_RETURN_FLOAT8(pgps_wait_probability(connections, load));
}

/*
 * Connections that are held here beyond what is suggested; -1 = unknown.
 * Behind a pooler the connections here are not the pool's.
 */
static int64
to_give_back(const PgpsPoolState *pool, const PgpsSizing *sizing)
{
	int64		spare = 0;
	int			i;

	if (sizing->suggested < 0 || sizing->basis != PGPS_BASIS_CLIENT)
		return -1;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];

		CHECK_FOR_INTERRUPTS();
		if (state->counts && !state->server.via_pooler)
			spare += Max(state->server.connections - sizing->suggested, 0);
	}
	return spare;
}

/* "pool" is NULL for the whole server. */
static void
put_sizing(PgpsRow *row, const PgpsPool *pool, const PgpsSizing *sizing,
		   const char *config, const char *basis, int64 give_back,
		   const char *advice)
{
	PGPS_PUT_ROW(SIZING_COLUMNS);
}

static void
put_pool_sizing(PgpsRow *row, const PgpsPoolState *pool,
				const PgpsSizing *sizing)
{
	const char *basis = NULL;

	if (sizing->load >= 0)
		basis = sizing->basis == PGPS_BASIS_CLIENT ? "client" : "server";
	put_sizing(row, pool->data, sizing, pgps_pool_config(pool), basis,
			   to_give_back(pool, sizing), pgps_sizing_advice(sizing));
}

/* all pools together */
typedef struct Server
{
	int64		observed;		/* the longest time of any pool */
	PgpsBucket	buckets[PGPS_NTEN_MINUTES]; /* sums, by place in the day */
	int64		suggested;		/* for all live instances */
	int64		give_back;		/* -1 = unknown */
} Server;

static void
add_to_server(Server *server, const PgpsPoolState *pool,
			  const PgpsSizing *sizing, const PgpsBucket *buckets, int nbuckets)
{
	int64		spare = to_give_back(pool, sizing);
	int			i;

	for (i = 0; i < nbuckets; i++)
	{
		PgpsBucket *sum = &server->buckets[pgps_bucket_place(PGPS_TEN_MINUTES,
															 buckets[i].start)];

		sum->watched = Max(sum->watched, buckets[i].watched);
		sum->count[PGPS_COUNT_XACTS] += Max(buckets[i].count[PGPS_COUNT_XACTS], 0);
		sum->count[PGPS_COUNT_XACT_TIME] += Max(buckets[i].count[PGPS_COUNT_XACT_TIME], 0);
	}
	server->observed = Max(server->observed, sizing->observed);
	if (sizing->suggested > 0)
		server->suggested += (int64) sizing->suggested * pool->live;
	if (spare >= 0)
		server->give_back = Max(server->give_back, 0) + spare;
}

/* The row of the whole server: how many connections can be busy at once */
static void
put_server_sizing(PgpsRow *row, const Server *server)
{
	double		cores = pgps_cpu_count();
	PgpsSizing	sizing = {
		.observed = server->observed,
		.load = -1,
		.arrivals = -1,
		.mean_use = -1,
		.peak = -1,
		.p99 = -1,
		.wait_probability = -1,
		.suggested = (int) (cores * 2) + pgps_effective_spindle_count
	};
	StringInfoData advice;
	int			i;

	for (i = 0; i < PGPS_NTEN_MINUTES; i++)
	{
		const PgpsBucket *sum = &server->buckets[i];
		double		busy;

		if (sum->watched < USECS_PER_MINUTE)
			continue;
		busy = (double) sum->count[PGPS_COUNT_XACT_TIME] / sum->watched;
		if (busy > sizing.load)
		{
			sizing.load = busy;
			sizing.arrivals = (double) sum->count[PGPS_COUNT_XACTS] * USECS_PER_SEC /
				sum->watched;
		}
	}
	if (sizing.arrivals > 0)
		sizing.mean_use = 1000 * sizing.load / sizing.arrivals;

	initStringInfo(&advice);
	appendStringInfo(&advice, "%.3g cores x 2 + %d spindles keep about %d connections busy at once",
					 cores, pgps_effective_spindle_count, sizing.suggested);
	if (sizing.load >= 0)
		appendStringInfo(&advice, "; in the busiest 10 min %.3g were in transactions on average",
						 sizing.load);
	if (server->suggested > 0)
		appendStringInfo(&advice, "; the sizes suggested here add up to " INT64_FORMAT,
						 server->suggested);
	put_sizing(row, NULL, &sizing, psprintf("max_connections %d", MaxConnections),
			   "server", server->give_back, advice.data);
}

/* The server first */
Datum
pgps_get_sizing(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(SIZING_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	Server	   *server = palloc0(sizeof(Server));
	PgpsSizing *sizings;
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	const PgpsPoolState *pool = NULL;
	int			i;

	sizings = palloc(Max(snapshot->npools, 1) * sizeof(PgpsSizing));
	server->give_back = -1;
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *any = &snapshot->pools[i];
		int			n = pgps_history_read(any->copy, PGPS_TEN_MINUTES,
										  snapshot->taken_at, buckets);

		CHECK_FOR_INTERRUPTS();
		pgps_work_out_sizing(&sizings[i], buckets, n, any->peak_lent);
		sizings[i].no_history = !pgps_has_history(any->copy) &&
			any->data->first_seen < snapshot->info.last_pass;
		add_to_server(server, any, &sizings[i], buckets, n);
	}

	put_server_sizing(row, server);
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
		put_pool_sizing(row, pool, &sizings[pool - snapshot->pools]);
	return (Datum) 0;
}
