/*-------------------------------------------------------------------------
 *
 * leaks.c
 *	  The function behind the view leaks.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"

#include "analysis/history.h"
#include "analysis/leaks.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_leaks);

#define LEAK_COLUMNS(C) \
	C(pool, text, pool->key.name) \
	C(instance, text, leak->state->data->name) \
	C(datname, name, pgps_database_name(pool)) \
	C(usename, name, pgps_role_name(pool)) \
	C(at_least, int4, leak->at_least) \
	C(candidates, int4, leak->candidates) \
	C(candidate_pids, int4s, pids, leak->candidates) \
	C(since, time, leak->since) \
	C(evidence, text, pgps_leak_evidence(leak, &floor, now)) \
	C(exempt, text, pgps_leak_exempt(leak)) \
	C(exhausts_at, time, pgps_exhausts_at(&floor, max_size)) \
	C(advice, text, pgps_leak_advice(leak))

static void
put_leak(PgpsRow *row, const PgpsLeak *leak, PgpsBucket *buckets,
		 TimestampTz now)
{
	const PgpsPoolState *state = leak->state->pool;
	const PgpsPool *pool = state->data;
	int64		max_size = pgps_get(&state->sum, PGPS_MAX_SIZE, -1);
	int		   *pids = palloc(leak->candidates * sizeof(int));
	PgpsFloor	floor;
	int			i;

	pgps_find_floor(&floor, buckets,
					pgps_history_read(state->copy, PGPS_TEN_MINUTES, now, buckets),
					now);
	for (i = 0; i < leak->candidates; i++)
		pids[i] = leak->suspects[i].backend->pid;
	PGPS_PUT_ROW(LEAK_COLUMNS);
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
	PgpsRow    *row = PGPS_BEGIN_VIEW(LEAK_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	int			nleaks;
	PgpsLeak   *leaks = pgps_find_leaks(snapshot, &nleaks);
	int			i;

	qsort(leaks, nleaks, sizeof(PgpsLeak), compare_leaks);
	for (i = 0; i < nleaks; i++)
	{
		if (pgps_may_see(leaks[i].state->pool->data->key.roleid))
			put_leak(row, &leaks[i], buckets, snapshot->taken_at);
	}
	return (Datum) 0;
}
