/*-------------------------------------------------------------------------
 *
 * trends.c
 *	  How much the counters of an instance rose within the last minutes.
 *
 * The collector's own memory, nobody else's: it writes down the counters from
 * time to time, and looks back.  After the collector was restarted there is
 * nothing to look back at for a while.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "trends.h"

/* marks of a whole window, and some more for the one that is to be dropped */
#define WINDOW_MARKS 30
#define MARKS 32

typedef struct Mark
{
	TimestampTz at;				/* 0 = none */
	int64		value[PGPS_TRENDS]; /* -1 = nobody told */
} Mark;

/* of an instance; the number of its entry is where it lies */
typedef struct Track
{
	TimestampTz owner;			/* first_seen of the instance */
	int			last;			/* the newest mark */
	Mark		latest;			/* of this pass */
	Mark		marks[MARKS];
} Track;

static Track *tracks = NULL;
static int	ntracks = 0;
static Track overflow_track;	/* what did not fit, as if it were errors */
static TimestampTz began = 0;	/* when we began to look */

static void
add_mark(Track *track, const Mark *now, TimestampTz owner, int64 spacing)
{
	if (track->owner != owner)
	{
		memset(track, 0, sizeof(Track));
		track->owner = owner;
		track->marks[0] = *now;
		if (owner > began)
		{
			/* all that the server counts has happened since */
			track->marks[0].value[PGPS_TREND_ENDED] = 0;
			track->marks[0].value[PGPS_TREND_XACTS] = 0;
		}
	}
	else if (now->at - track->marks[track->last].at >= spacing)
	{
		track->last = (track->last + 1) % MARKS;
		track->marks[track->last] = *now;
	}
	track->latest = *now;
}

static void
see_instance(Mark *now, const PgpsInstanceView *view)
{
	static const PgpsField told[] = {
		[PGPS_TREND_WAIT_TIME] = PGPS_TOTAL_WAIT_TIME,
		[PGPS_TREND_WAIT_EVENTS] = PGPS_WAIT_EVENTS,
		[PGPS_TREND_TIMEOUTS] = PGPS_TIMEOUTS,
		[PGPS_TREND_ERRORS] = PGPS_ERRORS
	};
	int			i;

	for (i = 0; i < lengthof(told); i++)
		now->value[i] = pgps_get(&view->now.shown, told[i], -1);
	now->value[PGPS_TREND_ENDED] = view->data->disconnects -
		view->data->reporters;
	now->value[PGPS_TREND_XACTS] = view->copy->activity.totals.xacts;
}

/*
 * Write down the counters of all instances, if it is time: "window" is the
 * longest that will be asked for, in microseconds.
 */
void
pgps_trends_note(const PgpsSnapshot *snapshot, int64 window)
{
	int64		spacing = window / WINDOW_MARKS;
	Mark		now;
	int			i;

	if (tracks == NULL)
	{
		ntracks = snapshot->max_instance;
		tracks = MemoryContextAllocExtended(TopMemoryContext,
											ntracks * sizeof(Track),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		began = snapshot->taken_at;
	}

	now.at = snapshot->taken_at;
	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceView *view = &snapshot->instances[i];

		see_instance(&now, view);
		add_mark(&tracks[view->copy->index], &now, view->data->first_seen,
				 spacing);
	}
	for (i = 0; i < PGPS_TRENDS; i++)
		now.value[i] = -1;
	now.value[PGPS_TREND_ERRORS] = snapshot->info.overflowed;
	add_mark(&overflow_track, &now, began, spacing);
}

/*
 * How much a counter rose since then; -1 if nobody told it.  What was known
 * for the first time is where counting starts.
 */
static int64
rise(const Track *track, PgpsTrend what, TimestampTz since)
{
	int64		now = track->latest.value[what];
	int64		before = -1;
	int			i;

	if (now < 0)
		return -1;

	/* from the oldest on: the last mark before, or else the first after */
	for (i = 1; i <= MARKS; i++)
	{
		const Mark *mark = &track->marks[(track->last + i) % MARKS];

		if (mark->at == 0 || mark->value[what] < 0)
			continue;
		if (mark->at > since && before >= 0)
			break;
		before = mark->value[what];
	}
	if (before < 0)
		return 0;
	return now < before ? now : now - before;	/* less: it was reset */
}

int64
pgps_rise(const PgpsInstanceView *view, PgpsTrend what, TimestampTz since)
{
	return rise(&tracks[view->copy->index], what, since);
}

/* Of what had no room of its own */
int64
pgps_overflow_rise(TimestampTz since)
{
	return rise(&overflow_track, PGPS_TREND_ERRORS, since);
}
