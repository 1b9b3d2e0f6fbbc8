/*-------------------------------------------------------------------------
 *
 * counters.c
 *	  What is counted of an instance, or of those a pool has lost.
 *
 * Arithmetic on copies, or in the registry under the lock of the caller.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"

#include "registry/counters.h"

/* a + b for counters (b >= 0), staying at the end of the range */
int64
pgps_add_saturated(int64 a, int64 b)
{
	int64		result;

	return pg_add_s64_overflow(a, b, &result) ? PG_INT64_MAX : result;
}

/* "by" is not negative. */
void
pgps_raise_count(PgpsCounters *c, int counter, int64 by)
{
	pgps_set_count(c, counter,
				   pgps_add_saturated(pgps_count(c, counter, 0), by));
}

/* What the server counts is known from the beginning. */
void
pgps_counters_init(PgpsCounters *c)
{
	int			i;

	memset(c, 0, sizeof(PgpsCounters));
	for (i = PGPS_NFIELDS; i < PGPS_COUNTERS_END; i++)
		pgps_set_count(c, i, 0);
}

void
pgps_counters_add(PgpsCounters *sum, const PgpsCounters *more)
{
	int			i;

	for (i = PGPS_FIRST_COUNTER; i < PGPS_COUNTERS_END; i++)
	{
		if (pgps_is_counted(more, i))
			pgps_raise_count(sum, i, pgps_count(more, i, 0));
	}
}

/* "less" was part of it once: nothing becomes negative. */
void
pgps_counters_subtract(PgpsCounters *rest, const PgpsCounters *less)
{
	int			i;

	for (i = 0; i < PGPS_NCOUNTERS; i++)
		rest->value[i] -= less->value[i];
}

/* What is known stays known, and starts again at 0. */
void
pgps_counters_reset(PgpsCounters *c)
{
	int			i;

	for (i = PGPS_FIRST_COUNTER; i < PGPS_COUNTERS_END; i++)
	{
		if (!pgps_is_never_reset(i))
			c->value[i - PGPS_FIRST_COUNTER] = 0;
	}
}

/* Take away what the pool reported, and return it. */
PgpsCounters
pgps_take_reported_counters(PgpsCounters *c)
{
	PgpsCounters reported = {0};
	int			i;

	for (i = PGPS_FIRST_COUNTER; i < PGPS_NFIELDS; i++)
	{
		if (!pgps_is_counted(c, i))
			continue;
		pgps_set_count(&reported, i, pgps_count(c, i, 0));
		pgps_unset_count(c, i);
	}
	return reported;
}
