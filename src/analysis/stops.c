/*-------------------------------------------------------------------------
 *
 * stops.c
 *	  Did most reports stop at once?
 *
 * Processes die one by one.  When most of those that report become late within
 * one stale_after, then what they have in common is the reason: the network,
 * the machine of the server, a role that may no longer report.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/stops.h"
#include "base/settings.h"
#include "registry/registry.h"
#include "registry/status.h"

/* of fewer, most is no evidence */
#define MANY 4

/* Does it report by itself, so that it can be late? */
static bool
can_be_late(const PgpsInstanceState *state)
{
	return state->live && state->now.reported && !state->data->other &&
		state->data->source != PGPS_SOURCE_POOLER;
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return x < y ? -1 : x > y;
}

/* The window of one stale_after in which most of them became late */
PgpsStop
pgps_find_stop(const PgpsSnapshot *snapshot)
{
	TimestampTz *late = palloc((snapshot->ninstances + 1) * sizeof(TimestampTz));
	PgpsStop	stop = {0};
	int			first = 0;
	int			nlate = 0;
	int			nfresh = 0;
	int			i;

	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];

		if (!can_be_late(state))
			continue;
		if (state->now.late)
			late[nlate++] = state->now.late_at;
		else
			nfresh++;
	}
	if (nlate >= MANY && nlate > nfresh)
	{
		qsort(late, nlate, sizeof(TimestampTz), compare_times);
		for (i = 0; i < nlate; i++)
		{
			while (late[i] - late[first] > pgps_stale_after * USECS_PER_SEC)
				first++;
			if (i - first + 1 <= stop.late)
				continue;
			stop.from = late[first];
			stop.until = late[i];
			stop.late = i - first + 1;
		}
		stop.of = stop.late + nfresh;
		if (stop.late < MANY || stop.late <= nfresh)
			memset(&stop, 0, sizeof(stop));
	}
	pfree(late);
	return stop;
}

/* Is it one of them? */
bool
pgps_is_stopped(const PgpsStop *stop, const PgpsInstanceState *state)
{
	return can_be_late(state) && state->now.late &&
		state->now.late_at >= stop->from && state->now.late_at <= stop->until;
}
