/*-------------------------------------------------------------------------
 *
 * histograms.c
 *	  The function behind the view metrics_histograms.
 *
 * A histogram has 12 limits.  All but the last are where buckets of ours end,
 * so that its counts are exact; that is at powers of two of a microsecond.
 *
 * Transactions are counted by instance, and of those that are gone by pool: a
 * sum of both has to be of one copy, or it may fall.  So it is not made from
 * the statement's snapshot, whose histograms may be a moment younger.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/float.h"

#include "analysis/snapshot.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/life.h"
#include "registry/registry.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_connect_times);
PG_FUNCTION_INFO_V1(pgps_get_xact_times);

#define COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(part, text, part) \
	C(le, float8, le) \
	C(count, int8, count) \
	C(total_time, ms, total)

/* 1 ms, 2 ms ... 8 s, nearly, as powers of two of a microsecond */
static const int connect_limits[PGPS_XACT_LIMITS] = {
	10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 23
};

/* As exporters get it: without what was counted before a crash */
static void
leave_out(PgpsTook *took, const PgpsTook *base)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		took->count[i] -= Min(took->count[i], base->count[i]);
	took->total -= Min(took->total, base->total);
}

/* How many of each range: up to a limit, and what took longer */
static PgpsXactRanges
in_ranges(const PgpsTook *took)
{
	PgpsXactRanges ranges = {0};
	int			bucket = 0;
	int			i;

	for (i = 0; i <= PGPS_XACT_LIMITS; i++)
	{
		int			end = i == PGPS_XACT_LIMITS ? PGPS_XACT_BUCKETS :
			pgps_xact_bucket(INT64CONST(1) << connect_limits[i]);

		for (; bucket < end; bucket++)
			ranges.count[i] += took->count[bucket];
	}
	return ranges;
}

/* A row for each limit: how many did not take longer */
static void
put_times(PgpsRow *row, const PgpsPoolState *pool, const char *part,
		  const int *limits, const PgpsXactRanges *ranges, int64 total)
{
	PgpsNames	names = pgps_names(pool->data);
	int64		count = 0;
	int			i;

	for (i = 0; i <= PGPS_XACT_LIMITS; i++)
	{
		double		le = i == PGPS_XACT_LIMITS ? get_float8_infinity() :
			ldexp(1e-6, limits[i]);

		count += ranges->count[i];
		PGPS_PUT_ROW(COLUMNS);
	}
}

static void
put_took(PgpsRow *row, const PgpsPoolState *pool, const char *part,
		 const PgpsTook *took)
{
	PgpsXactRanges ranges = in_ranges(took);

	put_times(row, pool, part, connect_limits, &ranges, took->total);
}

/* Has it ever been measured? */
static bool
is_known(const PgpsTook *took)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
	{
		if (took->count[i] > 0)
			return true;
	}
	return false;
}

/* As exporters get them; a pool that never connected has no row. */
Datum
pgps_get_connect_times(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	PgpsSessions *sessions = palloc(sizeof(PgpsSessions));
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		pgps_sessions_copy(sessions, pool->copy);
		if (is_known(&sessions->connect))
		{
			leave_out(&sessions->connect, &sessions->connect_base);
			put_took(row, pool, "connect", &sessions->connect);
		}
		if (is_known(&sessions->auth))
		{
			leave_out(&sessions->auth, &sessions->auth_base);
			put_took(row, pool, "authentication", &sessions->auth);
		}
	}
	return (Datum) 0;
}

/* Transactions as exporters get them, of pools that had one here */
Datum
pgps_get_xact_times(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(COLUMNS);
	const PgpsSnapshot *snapshot = pgps_take_snapshot(PGPS_ALL_XACTS);
	PgpsXactRanges *ranges = palloc0(snapshot->max_pool * sizeof(PgpsXactRanges));
	const PgpsPoolState *pool = NULL;
	int			i;

	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];
		const PgpsHistogram *histogram = state->histograms[PGPS_ALL_XACTS];

		CHECK_FOR_INTERRUPTS();
		if (histogram != NULL)
			pgps_ranges_count(&ranges[state->data->pool], histogram);
	}
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		PgpsXactRanges *xacts = &ranges[pool->copy->index];
		PgpsCounters exported;
		int64		count = 0;

		pgps_ranges_add(xacts, &pool->data->retired_xacts);
		for (i = 0; i <= PGPS_XACT_LIMITS; i++)
		{
			count += xacts->count[i];
			xacts->count[i] -= Min(xacts->count[i],
								   pool->data->base_xacts.count[i]);
		}
		if (count == 0)
			continue;
		pgps_exported_counters(&exported, &pool->counters, &pool->base,
							   PGPS_SOURCE_LABEL);
		put_times(row, pool, "transaction", pgps_xact_limits, xacts,
				  pgps_count(&exported, PGPS_XACT_TIME, 0));
	}
	return (Datum) 0;
}
