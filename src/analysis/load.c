/*-------------------------------------------------------------------------
 *
 * load.c
 *	  How busy each instance was in the current ten minutes.
 *
 * By Little's law the load is how many connections are lent out on average.
 * It comes from the time that all of them were used together, if the pool
 * reports that, else from looking again and again at how many are lent out; of
 * what the server sees it comes from the time of all transactions.
 *
 * Belongs to the collector alone: what is only known to it is lost when it
 * ends, and it starts to watch anew.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "analysis/load.h"
#include "base/clock.h"
#include "base/settings.h"

/* a pause of this length was not watched, unless passes are that far apart */
#define LONG_PAUSE USECS_PER_MINUTE
#define PASSES_APART (2 * pgps_sample_interval * INT64CONST(1000))

/* how long an instance is watched before one moment is not everything */
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
static int	capacity = 0;
static TimestampTz started = 0; /* beginning of the ten minutes */
static TimestampTz last_look = 0;
static int64 watched_all = 0;	/* of these ten minutes, microseconds */

static void
count_up(Counters *counters, const PgpsInstanceView *view)
{
	const PgpsCounters *counted = &view->data->counters;

	counters->checkouts = pgps_count(counted, PGPS_CHECKOUTS, -1);
	counters->use_time = pgps_count(counted, PGPS_TOTAL_USE_TIME, -1);
	counters->xacts = pgps_count(counted, PGPS_SERVER_XACTS, 0);
	counters->xact_time = pgps_count(counted, PGPS_XACT_TIME, 0);
}

/* A counter that is reported for the first time counts from now on. */
static void
start_counting(Counters *before, const PgpsInstanceView *view)
{
	Counters	now;

	count_up(&now, view);
	if (before->checkouts < 0)
		before->checkouts = now.checkouts;
	if (before->use_time < 0)
		before->use_time = now.use_time;
}

/*
 * Look at all instances.  "since" is when the ten minutes began.  Returns for
 * how many microseconds of them somebody has watched: the time between two
 * looks belongs to those in which it ends.
 */
int64
pgps_watch_load(const PgpsSnapshot *snapshot, TimestampTz since)
{
	TimestampTz now = snapshot->taken_at;
	int64		passed = pgps_elapsed(last_look, now);
	bool		anew = started != since;
	int			i;

	if (passed > Max(LONG_PAUSE, PASSES_APART))
	{
		passed = 0;
		anew = true;
	}
	if (snapshot->max_instance > capacity)
	{
		capacity = snapshot->max_instance;
		instances = MemoryContextAllocHuge(TopMemoryContext,
										   capacity * sizeof(Watched));
		anew = true;
	}
	if (anew)
	{
		memset(instances, 0, capacity * sizeof(Watched));
		watched_all = 0;
		started = since;
	}
	last_look = now;
	watched_all += passed;

	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceView *view = &snapshot->instances[i];
		Watched    *w = &instances[view->copy->index];

		if (w->owner != view->data->first_seen)
		{
			memset(w, 0, sizeof(Watched));
			w->owner = view->data->first_seen;
			count_up(&w->before, view);
			continue;
		}
		start_counting(&w->before, view);
		w->watched += passed;
		w->lent += (double) passed * pgps_get(&view->now.shown, PGPS_CHECKED_OUT, 0);
	}
	return watched_all;
}

/* A rise of a counter; one that fell was reset. */
static double
rise_of(int64 now, int64 before)
{
	return now >= before ? now - before : now;
}

/* On average nobody holds more than there are. */
static float
average(double total, double time, int32 cap)
{
	double		load = total / time;

	return cap > 0 ? Min(load, cap) : load;
}

static void
work_out_load(PgpsLoad *load, const PgpsInstanceView *view)
{
	const Watched *w = &instances[view->copy->index];
	double		time = Max(w->watched, Min(watched_all, SHORT_WATCH));
	Counters	now;
	PgpsLoad   *client = &load[PGPS_BASIS_CLIENT];
	PgpsLoad   *server = &load[PGPS_BASIS_SERVER];

	count_up(&now, view);
	client->cap = server->cap = pgps_get(&view->now.shown, PGPS_MAX_SIZE, -1);
	client->load = client->arrivals = -1;
	server->load = average(rise_of(now.xact_time, w->before.xact_time), time,
						   view->server.connections);
	server->arrivals = rise_of(now.xacts, w->before.xacts) * USECS_PER_SEC / time;
	if (!view->now.reported || !pgps_known(&view->now.shown, PGPS_CHECKED_OUT))
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
pgps_busiest(const PgpsPoolView *pool, PgpsLoad *busiest)
{
	int			i,
				b;

	for (b = 0; b < PGPS_BASES; b++)
		busiest[b].load = busiest[b].arrivals = busiest[b].cap = -1;
	for (i = 0; i < pool->ninstances && watched_all > 0; i++)
	{
		PgpsLoad	load[PGPS_BASES];

		if (!pool->instances[i]->counts)
			continue;
		work_out_load(load, pool->instances[i]);
		for (b = 0; b < PGPS_BASES; b++)
		{
			if (load[b].load > busiest[b].load)
				busiest[b] = load[b];
		}
	}
}
