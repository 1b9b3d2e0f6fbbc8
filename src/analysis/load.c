/*-------------------------------------------------------------------------
 *
 * load.c
 *	  How many connections were in a transaction on average, and what they did.
 *
 * Sessions are a difference of counted time by the time that passed, and so is
 * their idle part: both are exact.  What was active is split as its samples
 * are.
 *
 * The last minute is kept in steps, in the collector's own memory: the next
 * collector starts anew.  What it makes of them at each pass is shared, under
 * PGPS_LOAD_LOCK.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"

#include "analysis/load.h"
#include "base/clock.h"
#include "base/shmem.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/status.h"
#include "server/queries.h"

#define STEPS 12
#define STEP_LENGTH (5 * USECS_PER_SEC)

/* with fewer samples nothing is said of the parts */
#define ENOUGH_SAMPLES 10

/* what was seen last, since when, and what it rose by in each step */
typedef struct Watched
{
	TimestampTz owner;			/* first_seen of the pool */
	int64		last_step;		/* it has been cleared up to that one */
	PgpsTimes	times;
	PgpsLoadSums rise;			/* at the last pass */
	PgpsLoadSums steps[STEPS];
} Watched;

static PgpsLoad *shared = NULL; /* by number of the pool, then the server */

/* the collector's: the same, and when it last looked */
static Watched *watched = NULL;
static TimestampTz last_look = 0;
static TimestampTz last_pass = 0;

static int
server_place(void)
{
	return pgps_pool_capacity();
}

Size
pgps_load_size(void)
{
	return mul_size(pgps_pool_capacity() + 1, sizeof(PgpsLoad));
}

/* The area is zeroed: nothing is known. */
void
pgps_load_init(void *area, bool found)
{
	shared = area;
}

void
pgps_load_add(PgpsLoadSums *sum, const PgpsLoadSums *more)
{
	int			i;

	sum->watched += more->watched;
	sum->times.in_xact += more->times.in_xact;
	sum->times.idle += more->times.idle;
	sum->told += more->told;
	sum->lent += more->lent;
	sum->used += more->used;
	sum->samples.seen += more->samples.seen;
	sum->samples.blind += more->samples.blind;
	for (i = 0; i < PGPS_PARTS; i++)
		sum->samples.part[i] += more->samples.part[i];
}

/* Average sessions, and the parts of them that are known */
void
pgps_load_work_out(PgpsLoad *load, const PgpsLoadSums *sums)
{
	double		active;
	double		samples = 0;
	bool		blind = sums->samples.blind > 0 || !pgstat_track_activities;
	int			i;

	load->sessions = load->idle_in_xact = load->lent_idle = -1;
	for (i = 0; i < PGPS_PARTS; i++)
	{
		load->part[i] = -1;
		samples += sums->samples.part[i];
	}
	if (sums->watched <= 0)
		return;
	if (sums->told > 0)
		load->lent_idle = Max(sums->lent - sums->used, 0) /
			(double) Min(sums->told, sums->watched);
	load->sessions = (double) sums->times.in_xact / sums->watched;
	if (blind)
		return;
	load->idle_in_xact = (double) Min(sums->times.idle, sums->times.in_xact) /
		sums->watched;
	if (sums->samples.seen < ENOUGH_SAMPLES && load->sessions > 0)
		return;
	active = load->sessions - load->idle_in_xact;
	for (i = 0; i < PGPS_PARTS; i++)
		load->part[i] = samples > 0 ? active * sums->samples.part[i] / samples : 0;

	/* it was active, but never when somebody looked */
	if (samples == 0)
		load->part[PGPS_PART_OTHER] = active;
}

/*-------------------------------------------------------------------------
 * The collector
 *-------------------------------------------------------------------------
 */

static int64
step_of(TimestampTz now)
{
	return (now - pgps_floor_mod(now, STEP_LENGTH)) / STEP_LENGTH;
}

/* Add what a pool, or the server, rose by to its minute, and say what that is. */
static void
add_to_minute(PgpsLoad *load, Watched *w, TimestampTz now)
{
	const Watched *server = &watched[server_place()];
	PgpsLoadSums minute = {0};
	int64		step = step_of(now);
	int			i;

	if (w->last_step > step || w->last_step <= step - STEPS)
		memset(w->steps, 0, sizeof(w->steps));
	else
	{
		for (; w->last_step < step; w->last_step++)
			memset(&w->steps[pgps_floor_mod(w->last_step + 1, STEPS)], 0,
				   sizeof(PgpsLoadSums));
	}
	w->last_step = step;
	pgps_load_add(&w->steps[pgps_floor_mod(step, STEPS)], &w->rise);
	for (i = 0; i < STEPS; i++)
		pgps_load_add(&minute, &w->steps[i]);

	/* the minute is the same for all: before it was made a pool had no load */
	minute.watched = 0;
	for (i = 0; i < STEPS; i++)
		minute.watched += server->steps[i].watched;
	pgps_load_work_out(load, &minute);
	load->owner = w->owner;
	load->until = now;
}

/* A counter never falls; where it seems to, it will catch up. */
static int64
raise_to(int64 *seen, int64 now)
{
	int64		rise = Max(now - *seen, 0);

	*seen += rise;
	return rise;
}

/*
 * How many connections a pool has lent out, as its report says; -1 if not all
 * tell, or it is not known which connections are meant
 */
static int64
lent_out(const PgpsPoolState *pool)
{
	int64		lent = 0;
	bool		told = false;
	int			i;

	for (i = 0; i < pool->ninstances && pool->source != PGPS_SOURCE_POOLER; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];
		const PgpsServerState *server = &state->server;
		int			here = server->connections - server->reporters;

		if (!state->live || !state->counts)
			continue;
		if (!state->now.reported || state->now.late || server->via_pooler ||
			!pgps_known(&state->now.shown, PGPS_CHECKED_OUT))
		{
			if (here > 0)
				return -1;
			continue;
		}
		if (here > 0 && server->labelled == 0)
			return -1;
		told |= here > 0;
		lent += Min(state->now.shown.value[PGPS_CHECKED_OUT], here);
	}
	return told ? lent : -1;
}

static void
see_pool(Watched *w, const PgpsPoolState *pool, int64 unpublished, int64 passed)
{
	const PgpsCounters *counters = &pool->counters;
	bool		anew = w->owner != pool->data->first_seen;
	int64		lent = lent_out(pool);

	if (anew)
	{
		memset(w, 0, sizeof(Watched));
		w->owner = pool->data->first_seen;
	}
	w->rise.samples = pgps_take_samples(pool->copy->index);
	w->rise.times.in_xact = raise_to(&w->times.in_xact,
									 pgps_count(counters, PGPS_LOAD_TIME, 0));
	w->rise.times.idle = raise_to(&w->times.idle,
								  pgps_count(counters, PGPS_LOAD_IDLE_TIME, 0) +
								  unpublished);
	w->rise.watched = passed;
	w->rise.told = lent < 0 ? 0 : passed;
	w->rise.lent = lent < 0 ? 0 : lent * passed;
	w->rise.used = lent < 0 ? 0 : w->rise.times.in_xact;

	/* what a pool had before somebody watched is not known */
	if (passed == 0 || (anew && w->owner <= last_pass))
		memset(&w->rise, 0, sizeof(w->rise));
}

/* Add one look at all pools. */
void
pgps_load_note(const PgpsSnapshot *snapshot)
{
	TimestampTz now = snapshot->backends_at;
	int64		passed = last_look == 0 ? 0 : Max(now - last_look, 0);
	int64	   *unpublished = palloc0(Max(snapshot->max_pool, 1) * sizeof(int64));
	PgpsLoad   *loads = palloc(Max(snapshot->npools, 1) * sizeof(PgpsLoad));
	PgpsLoad	server;
	Watched    *all;
	int			i;

	if (watched == NULL)
		watched = MemoryContextAllocExtended(TopMemoryContext,
											 (server_place() + 1) * sizeof(Watched),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	/* first the server, whose time it is, then what its pools did in it */
	all = &watched[server_place()];
	memset(&all->rise, 0, sizeof(all->rise));
	all->owner = snapshot->info.started_at;
	all->rise.watched = passed;
	add_to_minute(&server, all, now);
	memset(&all->rise, 0, sizeof(all->rise));
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsInstanceState *at = pgps_instance_of(snapshot,
													   &snapshot->backends[i]);

		if (at != NULL)
			unpublished[at->data->pool] += pgps_unpublished_idle(&snapshot->backends[i]);
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		Watched    *w = &watched[pool->copy->index];

		CHECK_FOR_INTERRUPTS();
		see_pool(w, pool, unpublished[pool->copy->index], passed);
		add_to_minute(&loads[i], w, now);
		pgps_queries_note_owner(pool->copy, now);
		pgps_load_add(&all->rise, &w->rise);
	}
	all->rise.watched = 0;
	add_to_minute(&server, all, now);
	last_pass = last_look = now;

	pgps_acquire(PGPS_LOAD_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < snapshot->npools; i++)
		shared[snapshot->pools[i].copy->index] = loads[i];
	shared[server_place()] = server;
	pgps_release(PGPS_LOAD_LOCK);
	pfree(unpublished);
	pfree(loads);
}

/* What a pool rose by at this pass */
const PgpsLoadSums *
pgps_load_rise(const PgpsPoolCopy *pool)
{
	return &watched[pool->index].rise;
}

/*-------------------------------------------------------------------------
 * Reading
 *-------------------------------------------------------------------------
 */

/* The last minute of a pool, or of the server for NULL */
void
pgps_load_read(PgpsLoad *load, const PgpsPoolCopy *pool)
{
	static const PgpsLoadSums nothing = {0};

	pgps_acquire(PGPS_LOAD_LOCK, LW_SHARED);
	*load = shared[pool != NULL ? pool->index : server_place()];
	pgps_release(PGPS_LOAD_LOCK);
	if (load->owner == 0 ||
		(pool != NULL && load->owner != pool->data.first_seen))
	{
		pgps_load_work_out(load, &nothing);
		load->until = 0;
	}
}
