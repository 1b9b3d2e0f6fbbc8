/*-------------------------------------------------------------------------
 *
 * views_advice.c
 *	  The functions behind the views leaks and sizing; wait_probability().
 *
 * Privileges and Datums only, as in views.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "analysis/leaks.h"
#include "analysis/sizing.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "server/cores.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_leaks);
PG_FUNCTION_INFO_V1(pgps_get_sizing);
PG_FUNCTION_INFO_V1(pgps_sql_wait_probability);

/* more than any server can have; a loop runs as often */
#define MAX_CONNECTIONS 1000000

/*-------------------------------------------------------------------------
 * Leaks
 *-------------------------------------------------------------------------
 */

static void
put_leak(PgpsRow *row, const PgpsLeak *leak, PgpsBucket *buckets,
		 TimestampTz now)
{
	const PgpsPoolView *view = leak->view->pool;
	const PgpsPool *pool = view->data;
	PgpsFloor	floor;
	int		   *pids = palloc(leak->candidates * sizeof(int));
	int			i;

	pgps_find_floor(&floor, buckets,
					pgps_history_read(view->copy, PGPS_TEN_MINUTES, now, buckets),
					now);
	for (i = 0; i < leak->candidates; i++)
		pids[i] = leak->suspects[i].backend->pid;
	pgps_put_text(row, pool->key.name);
	pgps_put_text(row, leak->view->data->name);
	pgps_put_name(row, pgps_database_name(pool));
	pgps_put_name(row, pgps_role_name(pool));
	pgps_put_int4(row, leak->at_least);
	pgps_put_int4(row, leak->candidates);
	pgps_put_int4s(row, pids, leak->candidates);
	pgps_put_time(row, leak->since);
	pgps_put_text(row, pgps_leak_evidence(leak, &floor, now));
	pgps_put_text(row, pgps_leak_exempt(leak));
	pgps_put_time(row, pgps_exhausts_at(&floor, pgps_get(&view->sum, PGPS_MAX_SIZE, -1)));
	pgps_put_text(row, pgps_leak_advice(leak));
	pgps_row_end(row);
}

static int
compare_leaks(const void *a, const void *b)
{
	const PgpsLeak *x = a;
	const PgpsLeak *y = b;

	if (x->at_least != y->at_least)
		return x->at_least > y->at_least ? -1 : 1;
	return (x->since > y->since) - (x->since < y->since);
}

/* Most leaked connections first */
Datum
pgps_get_leaks(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	PgpsLeak   *leaks;
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	int			nleaks;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	leaks = pgps_find_leaks(snapshot, &nleaks);
	qsort(leaks, nleaks, sizeof(PgpsLeak), compare_leaks);
	sees_all = pgps_sees_all();
	for (i = 0; i < nleaks; i++)
	{
		if (pgps_may_see(leaks[i].view->pool->data->key.roleid, sees_all))
			put_leak(&row, &leaks[i], buckets, snapshot->taken_at);
	}
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 * Sizing
 *-------------------------------------------------------------------------
 */

/* wait_probability(connections int, load float8) -> float8 */
Datum
pgps_sql_wait_probability(PG_FUNCTION_ARGS)
{
	int32		connections = PG_GETARG_INT32(0);
	float8		load = PG_GETARG_FLOAT8(1);

	pgps_ensure_loaded();
	if (connections < 1 || connections > MAX_CONNECTIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of connections must be between 1 and %d",
						MAX_CONNECTIONS)));
	if (isnan(load) || load < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("load must not be negative")));
	PG_RETURN_FLOAT8(pgps_wait_probability(connections, load));
}

/*
 * Connections that are held here beyond what is suggested; -1 = not known.
 * Behind a pooler none of them are the pool's.
 */
static int64
give_back(const PgpsPoolView *pool, const PgpsSizing *sizing)
{
	int64		spare = 0;
	int			i;

	if (sizing->suggested < 0 || sizing->basis != PGPS_BASIS_CLIENT)
		return -1;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceView *view = pool->instances[i];

		if (view->counts && !view->server.via_pooler)
			spare += Max(view->server.connections - sizing->suggested, 0);
	}
	return spare;
}

static void
put_sizing(PgpsRow *row, const PgpsPoolView *pool, const PgpsSizing *sizing)
{
	pgps_put_text(row, pool->data->key.name);
	pgps_put_name(row, pgps_database_name(pool->data));
	pgps_put_name(row, pgps_role_name(pool->data));
	pgps_put_text(row, pgps_pool_config(pool));
	pgps_put_interval(row, sizing->observed);
	pgps_put_text(row, sizing->load < 0 ? NULL :
				  sizing->basis == PGPS_BASIS_CLIENT ? "client" : "server");
	pgps_put_known_float8(row, sizing->arrivals);
	pgps_put_known_float8(row, sizing->mean_use);
	pgps_put_known_float8(row, sizing->load);
	pgps_put_int4(row, sizing->peak);
	pgps_put_known4(row, sizing->p99);
	pgps_put_known_float8(row, sizing->wait_probability);
	pgps_put_known4(row, sizing->suggested);
	pgps_put_known8(row, give_back(pool, sizing));
	pgps_put_text(row, pgps_sizing_advice(sizing));
	pgps_row_end(row);
}

/* what all pools do together */
typedef struct Server
{
	int64		observed;		/* the longest of them */
	PgpsBucket	buckets[PGPS_NTEN_MINUTES]; /* sums, by place in the day */
	int64		suggested;		/* for all live instances */
	int64		give_back;		/* -1 = nobody knows */
} Server;

static void
add_pool(Server *server, const PgpsPoolView *pool, const PgpsSizing *sizing,
		 const PgpsBucket *buckets, int nbuckets)
{
	int64		spare = give_back(pool, sizing);
	int			i;

	for (i = 0; i < nbuckets; i++)
	{
		PgpsBucket *sum = &server->buckets[(buckets[i].start /
											pgps_period_length(PGPS_TEN_MINUTES)) % PGPS_NTEN_MINUTES];

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

/* The whole server: how many can be busy at once, whoever they are */
static void
put_server(PgpsRow *row, const Server *server)
{
	double		cores = pgps_cpu_count();
	int			bears = (int) (cores * 2) + pgps_effective_spindle_count;
	double		load = -1,
				arrivals = -1,
				mean = -1;
	StringInfoData advice;
	int			i;

	for (i = 0; i < PGPS_NTEN_MINUTES; i++)
	{
		const PgpsBucket *sum = &server->buckets[i];
		double		busy;

		if (sum->watched < USECS_PER_MINUTE)
			continue;
		busy = (double) sum->count[PGPS_COUNT_XACT_TIME] / sum->watched;
		if (busy > load)
		{
			load = busy;
			arrivals = (double) sum->count[PGPS_COUNT_XACTS] * USECS_PER_SEC / sum->watched;
		}
	}
	if (arrivals > 0)
		mean = 1000 * load / arrivals;

	initStringInfo(&advice);
	appendStringInfo(&advice, "%.3g cores x 2 + %d spindles keep about %d connections busy at once",
					 cores, pgps_effective_spindle_count, bears);
	if (load >= 0)
		appendStringInfo(&advice, "; in the busiest 10 min %.3g were in transactions on average",
						 load);
	if (server->suggested > 0)
		appendStringInfo(&advice, "; the sizes suggested here add up to " INT64_FORMAT,
						 server->suggested);

	pgps_put_text(row, "(server)");
	pgps_put_nulls(row, 2);
	pgps_put_text(row, psprintf("max_connections %d", MaxConnections));
	pgps_put_interval(row, server->observed);
	pgps_put_text(row, "server");
	pgps_put_known_float8(row, arrivals);
	pgps_put_known_float8(row, mean);
	pgps_put_known_float8(row, load);
	pgps_put_nulls(row, 3);		/* peak, p99, wait_probability */
	pgps_put_int4(row, bears);
	pgps_put_known8(row, server->give_back);
	pgps_put_text(row, advice.data);
	pgps_row_end(row);
}

/* The server first */
Datum
pgps_get_sizing(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	Server	   *server = palloc0(sizeof(Server));
	PgpsSizing *sizings;
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	sizings = palloc(Max(snapshot->npools, 1) * sizeof(PgpsSizing));
	server->give_back = -1;
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];
		int			n = pgps_history_read(pool->copy, PGPS_TEN_MINUTES,
										  snapshot->taken_at, buckets);

		pgps_work_out_sizing(&sizings[i], buckets, n, pool->peak_lent);
		add_pool(server, pool, &sizings[i], buckets, n);
	}

	put_server(&row, server);
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];

		if (pgps_may_see(pool->data->key.roleid, sees_all))
			put_sizing(&row, pool, &sizings[i]);
	}
	return (Datum) 0;
}
