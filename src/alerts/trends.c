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

#include "alerts/rules.h"
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
	int64		latest;			/* of this pass; -1 = nobody told */
	TimestampTz changed_at;		/* 0 = not since the first mark */
	TimestampTz marked_at;		/* the newest mark; 0 = none */
	int			last;			/* where that is */
} Series;

/* of an instance; the number of its entry is where it lies */
typedef struct Track
{
	TimestampTz owner;			/* first_seen of the instance */
	Series		series[PGPS_TRENDS];
	Mark		marks[PGPS_TRENDS][MARKS];
} Track;

/* where a counter comes from, and which rule asks for it */
static const struct
{
	PgpsField	told;			/* of those that the pool tells */
	PgpsRule	rule;
}			trends[PGPS_TRENDS] = {
	[PGPS_TREND_WAIT_TIME] = {PGPS_TOTAL_WAIT_TIME, PGPS_RULE_MEAN_WAIT},
	[PGPS_TREND_WAIT_EVENTS] = {PGPS_WAIT_EVENTS, PGPS_RULE_MEAN_WAIT},
	[PGPS_TREND_TIMEOUTS] = {PGPS_TIMEOUTS, PGPS_RULE_TIMEOUTS},
	[PGPS_TREND_ERRORS] = {PGPS_ERRORS, PGPS_RULE_ERRORS_INCREASING},
	[PGPS_TREND_ENDED] = {0, PGPS_RULE_NO_POOLING},
	[PGPS_TREND_XACTS] = {0, PGPS_RULE_NO_POOLING}
};

static Track *tracks = NULL;
static Track overflow;			/* what did not fit, as if it were errors */
static TimestampTz began = 0;	/* when we began to look */

/*
 * Take a counter's value of this pass, and write it down if it is time: marks
 * are so far apart that the window of its rule is covered.
 */
static void
note(Track *track, PgpsTrend what, TimestampTz now, int64 value, int64 window)
{
	Series	   *series = &track->series[what];
	Mark	   *mark;

	if (value != series->latest && series->marked_at != 0)
		series->changed_at = now;
	series->latest = value;
	if (value < 0 || (series->marked_at != 0 &&
					  now - series->marked_at < window / WINDOW_MARKS))
		return;
	series->marked_at = now;
	series->last = (series->last + 1) % MARKS;
	mark = &track->marks[what][series->last];
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
			note(track, PGPS_TREND_ENDED, first_seen, 0, 0);
			note(track, PGPS_TREND_XACTS, first_seen, 0, 0);
		}
	}
	for (i = 0; i < PGPS_TREND_ENDED; i++)
		note(track, i, now, pgps_count(&view->data->counters, trends[i].told, -1),
			 windows[i]);
	note(track, PGPS_TREND_ENDED, now,
		 pgps_count(&view->data->counters, PGPS_DISCONNECTS, 0) -
		 pgps_count(&view->data->counters, PGPS_REPORT_SESSIONS, 0),
		 windows[PGPS_TREND_ENDED]);
	note(track, PGPS_TREND_XACTS, now, pgps_count(&view->data->counters, PGPS_SERVER_XACTS, 0),
		 windows[PGPS_TREND_XACTS]);
}

/*
 * Look at the counters of all instances.  "overrides" are the entries of
 * alert_rules, which say how far the rules look back.
 */
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
	for (i = 0; i < PGPS_TRENDS; i++)
		windows[i] = pgps_longest_window(trends[i].rule, overrides);
	for (i = 0; i < snapshot->ninstances; i++)
		note_instance(&snapshot->instances[i], now, windows);
	note(&overflow, PGPS_TREND_ERRORS, now, snapshot->info.overflowed,
		 pgps_longest_window(PGPS_RULE_REGISTRY_FULL, overrides));
}

/*
 * How much a counter rose since then; -1 if nobody told it.  What was known
 * for the first time is where counting starts.
 */
static int64
rise(const Track *track, PgpsTrend what, TimestampTz since)
{
	const Series *series = &track->series[what];
	int64		now = series->latest;
	int64		before = -1;
	int			i;

	if (now < 0)
		return -1;
	if (series->changed_at <= since)
		return 0;

	/* from the oldest on: the last mark before, or else the first after */
	for (i = 1; i <= MARKS; i++)
	{
		const Mark *mark = &track->marks[what][(series->last + i) % MARKS];

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
	return rise(&tracks[view->copy->index], what, since);
}

/* Of what had no room of its own */
int64
pgps_overflow_rise(TimestampTz since)
{
	return rise(&overflow, PGPS_TREND_ERRORS, since);
}
