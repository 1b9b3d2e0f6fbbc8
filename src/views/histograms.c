/*-------------------------------------------------------------------------
 *
 * histograms.c
 *	  The function behind the view metrics_histograms.
 *
 * A histogram has 12 limits.  All but the last are where buckets of ours end,
 * so that its counts are exact; that is at powers of two of a microsecond.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/float.h"

#include "analysis/snapshot.h"
#include "registry/life.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_connect_times);

#define COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(part, text, part) \
	C(le, float8, le) \
	C(count, int8, count) \
	C(total_time, ms, took->total)

/* 1 ms, 2 ms ... 8 s, nearly, as powers of two of a microsecond */
static const int limits[] = {10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 23};

/* As exporters get it: without what was counted before a crash */
static void
leave_out(PgpsTook *took, const PgpsTook *base)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		took->count[i] -= Min(took->count[i], base->count[i]);
	took->total -= Min(took->total, base->total);
}

/* A row for each limit: how many did not take longer */
static void
put_times(PgpsRow *row, const PgpsPoolState *pool, const char *part,
		  const PgpsTook *took)
{
	PgpsNames	names = pgps_names(pool->data);
	int64		count = 0;
	int			bucket = 0;
	int			i;

	for (i = 0; i <= lengthof(limits); i++)
	{
		bool		last = i == lengthof(limits);
		double		le = last ? get_float8_infinity() : ldexp(1e-6, limits[i]);
		int			end = last ? PGPS_XACT_BUCKETS :
			pgps_xact_bucket(INT64CONST(1) << limits[i]);

		for (; bucket < end; bucket++)
			count += took->count[bucket];
		PGPS_PUT_ROW(COLUMNS);
	}
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
			put_times(row, pool, "connect", &sessions->connect);
		}
		if (is_known(&sessions->auth))
		{
			leave_out(&sessions->auth, &sessions->auth_base);
			put_times(row, pool, "authentication", &sessions->auth);
		}
	}
	return (Datum) 0;
}
