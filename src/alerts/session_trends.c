/*-------------------------------------------------------------------------
 *
 * session_trends.c
 *	  How the connections of pools were made and lost within the last minutes.
 *
 * As trends.c, but of pools: those that ended count, too, when their instance
 * is not there any more.  The collector's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "alerts/session_trends.h"
#include "base/clock.h"
#include "base/settings.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"

/* marks of a whole window, and some more for the one that is to be dropped */
#define WINDOW_MARKS 6
#define MARKS 8

/* so long after a connection ended it may still become lost; three passes */
#define SETTLED (20 * USECS_PER_SEC)

/* When the marks were made; they lie in an array beside it. */
typedef struct Marks
{
	TimestampTz at[MARKS];		/* 0 = none */
	int			last;			/* the newest one */
	TimestampTz changed_at;		/* of what is marked; 0 = not since the first
								 * one */
} Marks;

typedef struct Lost
{
	int64		ended;
	int64		lost[PGPS_END_REASONS];
} Lost;

/* a pool; the number of its entry is where it lies */
typedef struct Track
{
	TimestampTz owner;			/* first_seen of the pool */
	int64		connects;		/* of this pass */
	TimestampTz moved_at;		/* when connects or ends last changed */
	Lost		lost;			/* of this pass */
	Marks		lost_marks;
	Lost		lost_before[MARKS];
	uint32		connect_time[PGPS_XACT_BUCKETS];	/* of this pass */
	Marks		connect_marks;
	uint32		connect_time_before[MARKS][PGPS_XACT_BUCKETS];
} Track;

static Track **tracks = NULL;	/* made as needed */
static TimestampTz began = 0;	/* when we began to look */

static Track *
track_of(const PgpsPoolState *pool)
{
	return tracks[pool->copy->index];
}

/*
 * Is it time to write down what is now?  Returns where, or -1.
 */
static int
next_mark(Marks *marks, TimestampTz now, int64 window)
{
	TimestampTz newest = marks->at[marks->last];

	/* before the clock was set back is not so long ago as the marks say */
	if (now < newest)
		memset(marks, 0, sizeof(Marks));
	else if (newest != 0 && now - newest < window / WINDOW_MARKS)
		return -1;
	marks->last = (marks->last + 1) % MARKS;
	marks->at[marks->last] = now;
	return marks->last;
}

static void
note_change(Marks *marks, TimestampTz now)
{
	if (marks->at[marks->last] != 0)
		marks->changed_at = now;
}

/*
 * The last mark before a moment, or the first one; -1 = nothing has changed
 * since.
 */
static int
mark_before(const Marks *marks, TimestampTz since)
{
	int			before = -1;
	int			i;

	if (marks->changed_at <= since)
		return -1;

	/* from the oldest on */
	for (i = 1; i <= MARKS; i++)
	{
		int			mark = (marks->last + i) % MARKS;

		if (marks->at[mark] == 0)
			continue;
		if (marks->at[mark] > since && before >= 0)
			break;
		before = mark;
	}
	return before;
}

/*
 * A pool that we have not seen yet.  All that was counted of a new one has
 * happened since, and what a crash ended was there when the server started.
 */
static void
start_track(Track *track, const PgpsSnapshot *snapshot,
			const PgpsPoolState *pool, const PgpsSessions *sessions)
{
	TimestampTz first_seen = pool->data->first_seen;
	int			mark;

	memset(track, 0, sizeof(Track));
	track->owner = first_seen;
	if (first_seen > began)
	{
		(void) next_mark(&track->lost_marks, first_seen, 0);
		(void) next_mark(&track->connect_marks, first_seen, 0);
	}
	else if (sessions->crashed > 0 &&
			 began - snapshot->info.started_at < USECS_PER_MINUTE)
	{
		mark = next_mark(&track->lost_marks, snapshot->info.started_at, 0);
		memcpy(track->lost_before[mark].lost, sessions->lost,
			   sizeof(sessions->lost));
		track->lost_before[mark].lost[PGPS_END_CRASH] -= sessions->crashed;
		track->lost_before[mark].ended =
			pgps_count(&pool->counters, PGPS_DISCONNECTS, 0) - sessions->crashed;
	}
}

/*
 * Has something happened that the shared entry would tell?  What is held is
 * settled after some time.
 */
static bool
has_moved(Track *track, const PgpsPoolState *pool, TimestampTz now)
{
	int64		connects = pgps_count(&pool->counters, PGPS_CONNECTS, 0);

	if (track->owner != pool->data->first_seen ||
		connects != track->connects ||
		pgps_count(&pool->counters, PGPS_DISCONNECTS, 0) != track->lost.ended)
		track->moved_at = now;
	track->connects = connects;
	return pgps_elapsed(track->moved_at, now) <
		Max(SETTLED, 3 * pgps_sample_interval * INT64CONST(1000));
}

static void
note_pool(const PgpsSnapshot *snapshot, const PgpsPoolState *pool,
		  PgpsSessions *sessions, int64 lost_window, int64 connect_window)
{
	Track	   *track = track_of(pool);
	TimestampTz now = snapshot->taken_at;
	int			mark;

	if (has_moved(track, pool, now))
	{
		Lost		lost;

		pgps_sessions_copy(sessions, pool->copy);
		if (track->owner != pool->data->first_seen)
			start_track(track, snapshot, pool, sessions);

		lost.ended = pgps_count(&pool->counters, PGPS_DISCONNECTS, 0);
		memcpy(lost.lost, sessions->lost, sizeof(lost.lost));
		if (memcmp(&lost, &track->lost, sizeof(Lost)) != 0)
			note_change(&track->lost_marks, now);
		track->lost = lost;
		if (memcmp(sessions->connect.count, track->connect_time,
				   sizeof(track->connect_time)) != 0)
			note_change(&track->connect_marks, now);
		memcpy(track->connect_time, sessions->connect.count,
			   sizeof(track->connect_time));
	}

	mark = next_mark(&track->lost_marks, now, lost_window);
	if (mark >= 0)
		track->lost_before[mark] = track->lost;
	mark = next_mark(&track->connect_marks, now, connect_window);
	if (mark >= 0)
		memcpy(track->connect_time_before[mark], track->connect_time,
			   sizeof(track->connect_time));
}

/* Look at the pools once a pass. */
void
pgps_session_trends_note(const PgpsSnapshot *snapshot, const List *overrides)
{
	int64		lost_window = pgps_longest_window(pgps_find_rule("sessions_lost"),
												  overrides);
	int64		connect_window = pgps_longest_window(pgps_find_rule("slow_connect"),
													 overrides);
	PgpsSessions *sessions = palloc(sizeof(PgpsSessions));
	int			i;

	if (tracks == NULL)
	{
		tracks = MemoryContextAllocZero(TopMemoryContext,
										pgps_pool_capacity() * sizeof(Track *));
		began = snapshot->taken_at;
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];

		if (track_of(pool) == NULL)
			tracks[pool->copy->index] =
				MemoryContextAllocZero(TopMemoryContext, sizeof(Track));
		note_pool(snapshot, pool, sessions, lost_window, connect_window);
	}
	pfree(sessions);
}

/* By how much it rose; it fell if it was reset. */
static int64
rise(int64 now, int64 before)
{
	return now < before ? now : now - before;
}

/*
 * How many connections of a pool were lost since a moment, of how many that
 * ended, and what ended most of those that were lost
 */
void
pgps_sessions_lost(const PgpsPoolState *pool, TimestampTz since,
				   PgpsLostSessions *out)
{
	const Track *track = track_of(pool);
	int			mark = mark_before(&track->lost_marks, since);
	int64		most = 0;
	int			i;

	memset(out, 0, sizeof(PgpsLostSessions));
	if (mark < 0)
		return;
	out->ended = rise(track->lost.ended, track->lost_before[mark].ended);
	for (i = 0; i < PGPS_END_REASONS; i++)
	{
		int64		lost = rise(track->lost.lost[i],
								track->lost_before[mark].lost[i]);

		out->lost += lost;
		if (lost > most)
		{
			most = lost;
			out->most = i;
		}
	}
	out->of_most = most;
}

/*
 * The times that a pool's connects took since a moment; returns how many they
 * are.
 */
int64
pgps_connect_times(const PgpsPoolState *pool, TimestampTz since,
				   uint32 *histogram)
{
	const Track *track = track_of(pool);
	int			mark = mark_before(&track->connect_marks, since);
	int64		n = 0;
	int			i;

	memset(histogram, 0, PGPS_XACT_BUCKETS * sizeof(uint32));
	for (i = 0; i < PGPS_XACT_BUCKETS && mark >= 0; i++)
	{
		histogram[i] = rise(track->connect_time[i],
							track->connect_time_before[mark][i]);
		n += histogram[i];
	}
	return n;
}
