/*-------------------------------------------------------------------------
 *
 * busy.c
 *	  How busy each instance was in the current ten minutes.
 *
 * By Little's law the load is how many connections are lent out on average.
 * There are two bases.  "client" is what the pool reports: the total time of
 * use, or else samples of the number that is lent out.  "server" is the total
 * time of transactions.
 *
 * This is the collector's own memory: it is lost when the collector ends, and
 * the next one starts anew.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "base/clock.h"
#include "base/grow.h"
#include "base/settings.h"
#include "dialects/fields.h"
#include "registry/counters.h"
#include "registry/registry.h"
#include "registry/status.h"

/*
 * If passes are further apart, the time between them was not watched, unless
 * they are meant to be.
 */
#define LONG_PAUSE USECS_PER_MINUTE
#define PASSES_APART (2 * pgps_sample_interval * INT64CONST(1000))

/* below it, the average may be that of a single moment */
#define SHORT_WATCH USECS_PER_MINUTE

typedef struct Counters
{
	int64		checkouts;
	int64		use_time;		/* microseconds */
	int64		xacts;
	int64		xact_time;
} Counters;

typedef struct Watched
{
	TimestampTz owner;			/* first_seen of the instance */
	int64		watched;		/* microseconds */
	double		lent;			/* connections times microseconds */
	Counters	before;			/* at the beginning */
} Watched;

static Watched *instances = NULL;	/* by number of the entry */
static int	room = 0;			/* so many elements */
static TimestampTz started = 0; /* beginning of the ten minutes */
static TimestampTz last_look = 0;
static int64 watched_all = 0;	/* of these ten minutes, microseconds */

static void
count_up(Counters *counters, const PgpsInstanceState *state)
{
	const PgpsCounters *counted = &state->data->counters;

	counters->checkouts = pgps_count(counted, PGPS_CHECKOUTS, -1);
	counters->use_time = pgps_count(counted, PGPS_TOTAL_USE_TIME, -1);
	counters->xacts = pgps_count(counted, PGPS_SERVER_XACTS, 0);
	counters->xact_time = pgps_count(counted, PGPS_XACT_TIME, 0);
}

/* A counter that is reported for the first time counts from now on. */
static void
start_counting(Counters *before, const PgpsInstanceState *state)
{
	Counters	now;

	count_up(&now, state);
	if (before->checkouts < 0)
		before->checkouts = now.checkouts;
	if (before->use_time < 0)
		before->use_time = now.use_time;
}

/*
 * Look at all instances.  "since" is when the ten minutes began.  Returns how
 * many microseconds of them were watched: the time between two passes belongs
 * to those in which it ends.
 */
int64
pgps_watch_busy(const PgpsSnapshot *snapshot, TimestampTz since)
{
	TimestampTz now = snapshot->taken_at;
	int64		passed = pgps_elapsed(last_look, now);
	bool		anew = started != since;
	int			end = 1;
	int			i;

	if (passed > Max(LONG_PAUSE, PASSES_APART))
	{
		passed = 0;
		anew = true;
	}
	for (i = 0; i < snapshot->ninstances; i++)
		end = Max(end, snapshot->instances[i].copy->index + 1);
	instances = pgps_grow(instances, &room, end, sizeof(Watched));
	if (anew)
	{
		memset(instances, 0, room * sizeof(Watched));
		watched_all = 0;
		started = since;
	}
	last_look = now;
	watched_all += passed;

	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];
		Watched    *w = &instances[state->copy->index];

		if (w->owner != state->data->first_seen)
		{
			memset(w, 0, sizeof(Watched));
			w->owner = state->data->first_seen;
			count_up(&w->before, state);
			continue;
		}
		start_counting(&w->before, state);
		w->watched += passed;
		w->lent += (double) passed * pgps_get(&state->now.shown, PGPS_CHECKED_OUT, 0);
	}
	return watched_all;
}

/* How much a counter rose.  One that fell was reset, and counts from 0. */
static double
rise_of(int64 now, int64 before)
{
	return now >= before ? now - before : now;
}

/* The average is limited to the number of connections that there can be. */
static float
average(double total, double time, int32 cap)
{
	double		load = total / time;

	return cap > 0 ? Min(load, cap) : load;
}

static void
work_out_busy(PgpsBusy *load, const PgpsInstanceState *state)
{
	const Watched *w = &instances[state->copy->index];
	double		time = Max(w->watched, Min(watched_all, SHORT_WATCH));
	Counters	now;
	PgpsBusy   *client = &load[PGPS_BASIS_CLIENT];
	PgpsBusy   *server = &load[PGPS_BASIS_SERVER];

	count_up(&now, state);
	client->cap = server->cap = pgps_get(&state->now.shown, PGPS_MAX_SIZE, -1);
	client->load = client->arrivals = -1;
	server->load = average(rise_of(now.xact_time, w->before.xact_time), time,
						   state->server.connections);
	server->arrivals = rise_of(now.xacts, w->before.xacts) * USECS_PER_SEC / time;
	if (!state->now.reported || !pgps_known(&state->now.shown, PGPS_CHECKED_OUT))
		return;
	client->load = average(now.use_time < 0 ? w->lent :
						   rise_of(now.use_time, w->before.use_time), time,
						   client->cap);
	if (now.checkouts >= 0)
		client->arrivals = rise_of(now.checkouts, w->before.checkouts) *
			USECS_PER_SEC / time;
}

/* The busiest instance of a pool, by each basis; the pool was just watched. */
void
pgps_busiest(const PgpsPoolState *pool, PgpsBusy *busiest)
{
	int			i,
				b;

	for (b = 0; b < PGPS_BASES; b++)
		busiest[b].load = busiest[b].arrivals = busiest[b].cap = -1;
	for (i = 0; i < pool->ninstances && watched_all > 0; i++)
	{
		PgpsBusy	load[PGPS_BASES];

		if (!pool->instances[i]->counts)
			continue;
		work_out_busy(load, pool->instances[i]);
		for (b = 0; b < PGPS_BASES; b++)
		{
			if (load[b].load > busiest[b].load)
				busiest[b] = load[b];
		}
	}
}
