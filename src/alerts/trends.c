/*-------------------------------------------------------------------------
 *
 * trends.c
 *	  How much counters rose within the last minutes.
 *
 * The collector's own memory, nobody else's: it writes down the counters from
 * time to time, and looks back.  After the collector was restarted there is
 * nothing to look back at for a while.  Each rule's descriptor says which
 * counters it looks back at.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "alerts/overrides.h"
#include "alerts/trends.h"

/* marks of a whole window, and some more for the one that is to be dropped */
#define WINDOW_MARKS 30
#define MARKS 32

typedef struct Mark
{
	TimestampTz at;				/* 0 = none */
	int64		value;
} Mark;

/* one counter */
typedef struct Series
{
	int64		latest;			/* of this pass; -1 = not reported */
	TimestampTz changed_at;		/* 0 = not since the first mark */
	TimestampTz marked_at;		/* the newest mark; 0 = none */
	int			last;			/* where that is */
	Mark		marks[MARKS];
} Series;

/* of an instance; the number of its entry is where it lies */
typedef struct Track
{
	TimestampTz owner;			/* first_seen of the instance */
	Series		series[PGPS_INSTANCE_TRENDS];
} Track;

static Track *tracks = NULL;
static Series overflowed;
static TimestampTz began = 0;	/* when we began to look */

/* -1 = not reported */
static int64
counter_of(const PgpsInstanceView *view, PgpsTrend what)
{
	const PgpsValues *shown = &view->now.shown;

	switch (what)
	{
		case PGPS_TREND_WAIT_TIME:
			return pgps_get(shown, PGPS_TOTAL_WAIT_TIME, -1);
		case PGPS_TREND_WAIT_EVENTS:
			return pgps_get(shown, PGPS_WAIT_EVENTS, -1);
		case PGPS_TREND_TIMEOUTS:
			return pgps_get(shown, PGPS_TIMEOUTS, -1);
		case PGPS_TREND_ERRORS:
			return pgps_get(shown, PGPS_ERRORS, -1);
		case PGPS_TREND_ENDED:
			return view->data->disconnects - view->data->reporters;
		case PGPS_TREND_XACTS:
			return view->copy->activity.totals.xacts;
		default:
			return -1;
	}
}

/*
 * How far back the rules look at each counter.  Overrides are those of
 * alert_rules.
 */
static void
find_windows(int64 windows[PGPS_TRENDS], const List *overrides)
{
	int			rule;
	int			what;

	memset(windows, 0, PGPS_TRENDS * sizeof(int64));
	for (rule = 0; rule < pgps_nrules; rule++)
	{
		int64		window = pgps_longest_window(rule, overrides);

		for (what = 0; what < PGPS_TRENDS; what++)
		{
			if (pgps_rules[rule]->trends & (1 << what))
				windows[what] = Max(windows[what], window);
		}
	}
}

/*
 * Take a counter's value of this pass, and write it down if it is time: marks
 * are so far apart that the window is covered.
 */
static void
note(Series *series, TimestampTz now, int64 value, int64 window)
{
	Mark	   *mark;

	if (value != series->latest && series->marked_at != 0)
		series->changed_at = now;
	series->latest = value;
	if (value < 0 || (series->marked_at != 0 &&
					  now - series->marked_at < window / WINDOW_MARKS))
		return;
	series->marked_at = now;
	series->last = (series->last + 1) % MARKS;
	mark = &series->marks[series->last];
	mark->at = now;
	mark->value = value;
}

static void
note_instance(const PgpsInstanceView *view, TimestampTz now,
			  const int64 *windows)
{
	Track	   *track = &tracks[view->copy->index];
	TimestampTz first_seen = view->data->first_seen;
	int			i;

	if (track->owner != first_seen)
	{
		memset(track, 0, sizeof(Track));
		track->owner = first_seen;
		if (first_seen > began)
		{
			/* all that the server counts has happened since */
			note(&track->series[PGPS_TREND_ENDED], first_seen, 0, 0);
			note(&track->series[PGPS_TREND_XACTS], first_seen, 0, 0);
		}
	}
	for (i = 0; i < PGPS_INSTANCE_TRENDS; i++)
		note(&track->series[i], now, counter_of(view, i), windows[i]);
}

/* Look at the counters once a pass. */
void
pgps_trends_note(const PgpsSnapshot *snapshot, const List *overrides)
{
	TimestampTz now = snapshot->taken_at;
	int64		windows[PGPS_TRENDS];
	int			i;

	if (tracks == NULL)
	{
		tracks = MemoryContextAllocExtended(TopMemoryContext,
											snapshot->max_instance * sizeof(Track),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		began = now;
	}
	find_windows(windows, overrides);
	for (i = 0; i < snapshot->ninstances; i++)
		note_instance(&snapshot->instances[i], now, windows);
	note(&overflowed, now, snapshot->info.overflowed,
		 windows[PGPS_TREND_OVERFLOWED]);
}

/*
 * How much a counter rose since a moment; -1 if it is not reported.  It is
 * compared with its last mark before that moment or, if it was not known yet,
 * with its first one.
 */
static int64
rise(const Series *series, TimestampTz since)
{
	int64		now = series->latest;
	int64		before = -1;
	int			i;

	if (now < 0)
		return -1;
	if (series->changed_at <= since)
		return 0;

	/* from the oldest on */
	for (i = 1; i <= MARKS; i++)
	{
		const Mark *mark = &series->marks[(series->last + i) % MARKS];

		if (mark->at == 0)
			continue;
		if (mark->at > since && before >= 0)
			break;
		before = mark->value;
	}
	return now < before ? now : now - before;	/* less: it was reset */
}

int64
pgps_rise(const PgpsInstanceView *view, PgpsTrend what, TimestampTz since)
{
	return rise(&tracks[view->copy->index].series[what], since);
}

int64
pgps_overflow_rise(TimestampTz since)
{
	return rise(&overflowed, since);
}
