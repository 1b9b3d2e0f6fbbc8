/*-------------------------------------------------------------------------
 *
 * cause_finder.c
 *	  What holds up the connections of some instances of a pool at this moment.
 *
 * What each connection does is in the snapshot, and for what it waits in its
 * PGPROC.  Behind whom those wait that wait for a lock is lock_culprit.c's,
 * what keeps them from having more connections is cause_outside.c's.
 *
 * Collector only.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/backend_status.h"

#include "alerts/cause.h"
#include "analysis/holdup.h"
#include "analysis/load.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/blockers.h"
#include "server/cores.h"
#include "server/sampler.h"

/* whoever idles in its transaction for so long may wait for another caller */
#define NESTED_AFTER (10 * USECS_PER_SEC)

#define NO_BACKEND (-1)

/* what is found already */
typedef struct Known
{
	const Bitmapset *instances;
	PgpsCause  *causes;
} Known;

/* The connections of each instance */
struct PgpsHeld
{
	const PgpsSnapshot *snapshot;
	int		   *first;			/* by instance, as linked lists */
	int		   *next;			/* by backend */
	List	  **known;			/* by pool: of Known */
	int		   *share;			/* by pool: of looks at who waits for locks */
	float		busy;			/* of all pools, on a CPU */
	float		cores;
};

/* of some instances, one after the other, and what each does */
typedef struct Members
{
	int			n;
	const PgpsBackend **backends;
	uint8	   *kinds;			/* PgpsCauseKind */
} Members;

/* In the current memory context */
PgpsHeld *
pgps_find_held(const PgpsSnapshot *snapshot)
{
	PgpsHeld   *held = palloc(sizeof(PgpsHeld));
	PgpsLoad	load;
	int			i;

	pgps_renew_looks(snapshot->taken_at);
	pgps_load_read(&load, NULL);
	held->snapshot = snapshot;
	held->busy = load.part[PGPS_PART_CPU];
	held->cores = pgps_cpu_count();
	held->first = palloc((snapshot->ninstances + 1) * sizeof(int));
	held->next = palloc((snapshot->nbackends + 1) * sizeof(int));
	held->known = palloc0((snapshot->npools + 1) * sizeof(List *));
	held->share = palloc((snapshot->npools + 1) * sizeof(int));
	for (i = 0; i < snapshot->npools; i++)
		held->share[i] = PGPS_NO_SHARE;
	for (i = 0; i < snapshot->ninstances; i++)
		held->first[i] = NO_BACKEND;
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		CHECK_FOR_INTERRUPTS();
		if (state == NULL)
			continue;
		held->next[i] = held->first[state - snapshot->instances];
		held->first[state - snapshot->instances] = i;
	}
	return held;
}

/* Of one more instance */
static void
add_members(Members *members, const PgpsHeld *held,
			const PgpsInstanceState *state)
{
	const PgpsSnapshot *snapshot = held->snapshot;
	const PgpsBackend *backends = snapshot->backends;
	int			i;

	if (state->data->source == PGPS_SOURCE_POOLER)
	{
		for (i = 0; i < snapshot->nbackends; i++)
		{
			if (pgps_is_poolers(&backends[i], state, snapshot))
				members->backends[members->n++] = &backends[i];
		}
	}
	else
	{
		for (i = held->first[state - snapshot->instances]; i != NO_BACKEND;
			 i = held->next[i])
		{
			if (!backends[i].only_reports)
				members->backends[members->n++] = &backends[i];
		}
	}
}

/* What does a connection do, or wait for? */
static PgpsCauseKind
kind_of(const PgpsBackend *backend, uint32 *wait_event)
{
	static const PgpsCauseKind kinds[PGPS_PARTS] = {
		[PGPS_PART_CPU] = PGPS_CAUSE_CPU,
		[PGPS_PART_IO] = PGPS_CAUSE_IO,
		[PGPS_PART_LOCK] = PGPS_CAUSE_LOCK,
		[PGPS_PART_LWLOCK] = PGPS_CAUSE_LWLOCK,
		[PGPS_PART_CLIENT] = PGPS_CAUSE_CLIENT,
		[PGPS_PART_OTHER] = PGPS_CAUSE_OTHER
	};
	PgpsCauseKind kind;

	*wait_event = 0;
	if (!backend->in_xact || backend->state == STATE_DISABLED)
		return PGPS_CAUSE_NONE;
	if (backend->idle_in_xact)
		return PGPS_CAUSE_IDLE_IN_XACT;
	if (!pgps_wait_event(backend->procno, backend->pid, wait_event))
		return PGPS_CAUSE_NONE;
	kind = kinds[pgps_load_part(*wait_event)];

	/* it may just have become idle, and wait for what its client asks next */
	if (kind == PGPS_CAUSE_CLIENT && !pgps_backend_state_is_as_seen(backend))
		return PGPS_CAUSE_NONE;
	return kind;
}

/* One more of its kind; the culprit is the one that has done so for longest. */
static void
note_longest(PgpsCause *cause, const PgpsBackend *backend,
			 const PgpsSnapshot *snapshot)
{
	if (cause->count++ > 0 && backend->state_change >= cause->oldest_since)
		return;
	cause->oldest_since = backend->state_change;
	pgps_describe_backend(&cause->culprit, backend, snapshot);
	cause->state = backend->state;
	cause->state_since = backend->state_change;
}

/* Which query do most of a kind run, if it is more than half of them? */
static void
note_queries(PgpsCause *causes, const Members *members)
{
	int			lead[PGPS_NCAUSES] = {0};
	int			i;

	for (i = 0; i < members->n; i++)
	{
		PgpsCause  *cause = &causes[members->kinds[i]];
		int		   *of = &lead[members->kinds[i]];

		if (members->backends[i]->queryid == cause->queryid)
			(*of)++;
		else if (*of > 0)
			(*of)--;
		else
		{
			cause->queryid = members->backends[i]->queryid;
			*of = 1;
		}
	}
	for (i = 0; i < members->n; i++)
	{
		PgpsCause  *cause = &causes[members->kinds[i]];

		cause->of_query += members->backends[i]->queryid == cause->queryid;
	}
}

/*
 * What an instance has lent out, as it says, but in no transaction here: it is
 * idle, or its connection is not here.  Only of connections that say whose they
 * are; its members are those from "first" on.
 */
static void
find_unused(PgpsCause *causes, const Members *members, int first, int seen,
			const PgpsInstanceState *state, const PgpsSnapshot *snapshot)
{
	const PgpsServerState *server = &state->server;
	int			lent = pgps_get(&state->now.shown, PGPS_CHECKED_OUT, 0);
	int			here = server->connections - server->reporters;
	int			unused = Min(lent, here) - seen;
	PgpsCause  *idle = &causes[PGPS_CAUSE_LENT_IDLE];
	int			before = idle->count;
	bool		known = before == 0 || pgps_party_is_known(&idle->culprit);
	int			found;
	int			i;

	causes[PGPS_CAUSE_GHOSTS].count +=
		Max(Min(state->now.ghosts, lent - Max(seen, 0)), 0);
	if (unused <= 0 || !state->now.reported || server->labelled == 0 ||
		server->via_pooler || state->data->other)
		return;
	for (i = first; i < members->n; i++)
	{
		const PgpsBackend *backend = members->backends[i];

		if (backend->state == STATE_IDLE && !backend->in_xact)
			note_longest(idle, backend, snapshot);
	}
	found = idle->count - before;
	idle->count = before + Min(found, unused);

	/* which of them are lent is known only if all are */
	if (!known || found > unused)
		memset(&idle->culprit, 0, sizeof(PgpsParty));
	if (found > 0 && state->now.late)
		idle->as_of = idle->as_of == 0 ? state->data->last_report :
			Min(idle->as_of, state->data->last_report);
}

/*
 * Do all who hold a connection of an instance wait, as it seems, for those who
 * wait for one?
 */
static bool
is_nested(int idle, const PgpsInstanceState *state, TimestampTz newest,
		  TimestampTz now)
{
	int64		waiting = pgps_get(&state->now.shown, PGPS_WAITING, 0);

	return !state->now.late && waiting > 0 && waiting <= idle &&
		idle >= pgps_get(&state->now.shown, PGPS_CHECKED_OUT, 0) &&
		now - newest >= NESTED_AFTER;
}

/* Beside each, what holds up most of the others */
static void
note_beside(PgpsCause *causes)
{
	int			kind;

	for (kind = 1; kind < PGPS_NCAUSES; kind++)
	{
		int			other;

		for (other = 1; other <= PGPS_CAUSE_GHOSTS; other++)
		{
			if (other == kind || causes[other].count <= causes[kind].also_count)
				continue;
			causes[kind].also = other;
			causes[kind].also_count = causes[other].count;
		}
	}
}

/* of some instances together */
typedef struct Tally
{
	PgpsCause  *causes;			/* by kind */
	Members		members;
	const PgpsBackend *waiters[PGPS_LOOKS]; /* for locks, the first ones */
	int			lent;
	int			held;			/* lent out, or in a transaction */
	bool		nested;			/* wherever some are idle in transaction */
} Tally;

/* Add what the connections of one instance do. */
static void
add_instance(Tally *tally, const PgpsHeld *held, const PgpsInstanceState *state)
{
	const PgpsSnapshot *snapshot = held->snapshot;
	PgpsCause  *causes = tally->causes;
	PgpsCause  *lock = &causes[PGPS_CAUSE_LOCK];
	Members    *members = &tally->members;
	int			lent = pgps_get(&state->now.shown, PGPS_CHECKED_OUT, 0);
	int			idle_before = causes[PGPS_CAUSE_IDLE_IN_XACT].count;
	int			idle;
	TimestampTz newest_idle = 0;
	int			first = members->n;
	int			seen = 0;
	int			i;

	add_members(members, held, state);
	for (i = first; i < members->n; i++)
	{
		const PgpsBackend *backend = members->backends[i];
		uint32		wait_event;
		PgpsCauseKind kind = kind_of(backend, &wait_event);

		members->kinds[i] = kind;
		seen += backend->in_xact;
		if (kind == PGPS_CAUSE_NONE)
			continue;
		if (kind == PGPS_CAUSE_LOCK)
		{
			if (lock->count < PGPS_LOOKS)
				tally->waiters[lock->count] = backend;
			lock->count++;
			continue;
		}
		note_longest(&causes[kind], backend, snapshot);
		if (kind == PGPS_CAUSE_IDLE_IN_XACT)
			newest_idle = Max(newest_idle, backend->state_change);
		else if (kind == PGPS_CAUSE_CLIENT)
			causes[kind].sending += pgps_waits_to_read(wait_event);
		else if (kind == PGPS_CAUSE_OTHER)
			causes[kind].wait_class = wait_event & 0xFF000000;
	}
	idle = causes[PGPS_CAUSE_IDLE_IN_XACT].count - idle_before;
	if (idle > 0)
		tally->nested &= is_nested(idle, state, newest_idle, snapshot->taken_at);
	find_unused(causes, members, first, seen, state, snapshot);
	tally->lent += lent;
	tally->held += Max(lent, seen);
}

static void
find_causes(PgpsCause *causes, const PgpsHeld *held,
			const PgpsInstanceState *const *states, int n)
{
	const PgpsSnapshot *snapshot = held->snapshot;
	Tally		tally = {0};
	int64		waiting = 0;
	int			room = 1;
	int			known = 0;
	int			i;

	tally.causes = causes;
	tally.nested = true;
	for (i = 0; i < n; i++)
		room += states[i]->data->source == PGPS_SOURCE_POOLER ?
			snapshot->nbackends : states[i]->server.connections;
	tally.members.backends = palloc(room * sizeof(PgpsBackend *));
	tally.members.kinds = palloc0(room);
	for (i = 0; i < n; i++)
	{
		add_instance(&tally, held, states[i]);
		waiting += pgps_get(&states[i]->now.shown, PGPS_WAITING, 0);
	}
	note_queries(causes, &tally.members);
	for (i = 1; i < PGPS_NCAUSES; i++)
	{
		causes[i].kind = i;
		causes[i].of = tally.lent;
		known += causes[i].count;
	}
	if (causes[PGPS_CAUSE_LOCK].count > 0)
		pgps_find_culprit(&causes[PGPS_CAUSE_LOCK], snapshot, tally.waiters,
						  &held->share[states[0]->pool - snapshot->pools]);
	if (tally.nested)
		causes[PGPS_CAUSE_IDLE_IN_XACT].kind = PGPS_CAUSE_NESTED;
	causes[PGPS_CAUSE_CPU].busy = held->busy;
	causes[PGPS_CAUSE_CPU].cores = held->cores;
	(void) pgps_find_outside(causes, states[0], waiting, snapshot);
	known += causes[PGPS_CAUSE_POOLER].count;	/* lent, and not here */
	note_beside(causes);

	/* what else is lent out, for no reason that is known here */
	causes[PGPS_CAUSE_NONE].count = Max(tally.held - known, 0);
}

/*
 * What holds up the connections of some instances of a pool: how many each kind
 * of cause does, PGPS_NCAUSES of them.  Several alerts may ask.
 */
const PgpsCause *
pgps_find_causes(PgpsHeld *held, const PgpsInstanceState *const *states, int n)
{
	const PgpsSnapshot *snapshot = held->snapshot;
	List	  **of_pool = &held->known[states[0]->pool - snapshot->pools];
	Bitmapset  *instances = NULL;
	Known	   *known;
	ListCell   *lc;
	int			i;

	for (i = 0; i < n; i++)
		instances = bms_add_member(instances, states[i] - snapshot->instances);
	foreach(lc, *of_pool)
	{
		known = lfirst(lc);
		if (bms_equal(known->instances, instances))
			return known->causes;
	}
	known = palloc(sizeof(Known));
	known->instances = instances;
	known->causes = palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
	find_causes(known->causes, held, states, n);
	*of_pool = lappend(*of_pool, known);
	return known->causes;
}
