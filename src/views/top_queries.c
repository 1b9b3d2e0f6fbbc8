/*-------------------------------------------------------------------------
 *
 * top_queries.c
 *	  The function behind the view top_queries.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/queries.h"
#include "server/sampler.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_top_queries);

#define QUERY_COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(queryid, known8, true, query->queryid) \
	C(active_time, ms, active_time(query)) \
	C(idle_in_xact_time, ms, query->idle) \
	C(share, float8, queries.all > 0 ? (double) time_of(query) / queries.all : -1) \
	C(waits, text, largest_class(query)) \
	C(sampled_since, time, queries.since)

static double
active_time(const PgpsQuery *query)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < PGPS_PARTS; i++)
		sum += query->part[i];
	return sum;
}

static int64
time_of(const PgpsQuery *query)
{
	return active_time(query) + query->idle;
}

/* What it spends most of its time on */
static const char *
largest_class(const PgpsQuery *query)
{
	static const char *const names[PGPS_PARTS] = {
		[PGPS_PART_CPU] = "cpu",
		[PGPS_PART_IO] = "io",
		[PGPS_PART_LOCK] = "lock",
		[PGPS_PART_LWLOCK] = "lwlock",
		[PGPS_PART_CLIENT] = "client",
		[PGPS_PART_OTHER] = "other"
	};
	int			most = 0;
	int			i;

	for (i = 0; i < PGPS_PARTS; i++)
	{
		if (query->part[i] > query->part[most])
			most = i;
	}
	return query->idle > query->part[most] ? "idle in transaction" :
		names[most];
}

/* Most time first */
static int
compare_queries(const void *a, const void *b)
{
	int64		x = time_of(a);
	int64		y = time_of(b);

	return (x < y) - (x > y);
}

Datum
pgps_get_top_queries(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(QUERY_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		PgpsQueries queries;
		const PgpsQuery *query;
		PgpsNames	names;

		if (!pgps_queries_read(&queries, pool->copy))
			continue;
		names = pgps_names(pool->data);
		qsort(queries.query, queries.n, sizeof(PgpsQuery), compare_queries);
		for (query = queries.query; query < queries.query + queries.n; query++)
			PGPS_PUT_ROW(QUERY_COLUMNS);
	}
	return (Datum) 0;
}
