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

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "base/grow.h"
#include "dialects/fields.h"
#include "registry/counters.h"
#include "registry/registry.h"

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
	Series		series[FLEXIBLE_ARRAY_MEMBER];	/* of each followed counter */
} Track;

/* a counter that a rule looks back at */
typedef struct Followed
{
	int			counter;
	int64		window;			/* so far back */
} Followed;

static Followed followed[PGPS_NCOUNTERS];
static int	nfollowed = 0;

static char *tracks = NULL;
static int	room = 0;			/* so many tracks */
static Series overflowed;
static TimestampTz began = 0;	/* when we began to look */

static Size
track_size(void)
{
	return offsetof(Track, series) + nfollowed * sizeof(Series);
}

static Track *
track_of(const PgpsInstanceState *state)
{
	return (Track *) (tracks + state->copy->index * track_size());
}

/* How far back the rules look at something, whatever the pool */
static int64
window_of(uint64 trend, const List *overrides)
{
	int64		window = 0;
	int			rule;

	for (rule = 0; rule < pgps_nrules; rule++)
	{
		if (pgps_rules[rule]->trends & trend)
			window = Max(window, pgps_longest_window(rule, overrides));
	}
	return window;
}

/* The rules say which counters are to be followed. */
static void
begin(const PgpsSnapshot *snapshot)
{
	uint64		all = 0;
	int			i;

	for (i = 0; i < pgps_nrules; i++)
		all |= pgps_rules[i]->trends;
	for (i = PGPS_FIRST_COUNTER; i < PGPS_COUNTERS_END; i++)
	{
		if (all & PGPS_TREND(i))
			followed[nfollowed++].counter = i;
	}
	began = snapshot->taken_at;
}

/*
 * Take a counter's value of this pass, and write it down if it is time: marks
 * are so far apart that the window is covered.
 */
static void
note_counter(Series *series, TimestampTz now, int64 value, int64 window)
{
	Mark	   *mark;

	/* before the clock was set back is not so long ago as the marks say */
	if (now < series->marked_at)
		memset(series, 0, sizeof(Series));
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
note_instance(const PgpsInstanceState *state, TimestampTz now)
{
	const PgpsCounters *counters = &state->data->counters;
	TimestampTz first_seen = state->data->first_seen;
	Track	   *track = track_of(state);
	int			i;

	if (track->owner != first_seen)
	{
		memset(track, 0, track_size());
		track->owner = first_seen;

		/* all that the server has counted of a new one has happened since */
		for (i = 0; i < nfollowed && first_seen > began; i++)
		{
			if (followed[i].counter >= PGPS_NFIELDS)
				note_counter(&track->series[i], first_seen, 0, 0);
		}
	}
	for (i = 0; i < nfollowed; i++)
		note_counter(&track->series[i], now,
					 pgps_count(counters, followed[i].counter, -1),
					 followed[i].window);
}

/* Look at the counters once a pass.  "overrides" are those of alert_rules. */
void
pgps_trends_note(const PgpsSnapshot *snapshot, const List *overrides)
{
	int			end = 0;
	int			i;

	if (began == 0)
		begin(snapshot);
	for (i = 0; i < snapshot->ninstances; i++)
		end = Max(end, snapshot->instances[i].copy->index + 1);
	tracks = pgps_grow(tracks, &room, end, track_size());
	for (i = 0; i < nfollowed; i++)
		followed[i].window = window_of(PGPS_TREND(followed[i].counter), overrides);
	for (i = 0; i < snapshot->ninstances; i++)
		note_instance(&snapshot->instances[i], snapshot->taken_at);
	note_counter(&overflowed, snapshot->taken_at, snapshot->info.overflowed,
				 window_of(PGPS_TREND_OVERFLOWED, overrides));
}

/*
 * How much a counter rose since a moment; -1 if it is not reported.  It is
 * compared with its last mark before that moment or, if it was not known yet,
 * with its first one.
 */
static int64
rise_since(const Series *series, TimestampTz since)
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

/* Of a counter that a rule of this process looks back at */
int64
pgps_rise(const PgpsInstanceState *state, int counter, TimestampTz since)
{
	int			i;

	for (i = 0; followed[i].counter != counter; i++)
		Assert(i < nfollowed);
	return rise_since(&track_of(state)->series[i], since);
}

int64
pgps_overflow_rise(TimestampTz since)
{
	return rise_since(&overflowed, since);
}
