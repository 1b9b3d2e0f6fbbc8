/*-------------------------------------------------------------------------
 *
 * cause_finder.c
 *	  What holds up the connections of an instance at this moment.
 *
 * All but one thing is in the snapshot.  For whom a connection waits is looked
 * up: at one pass a second, at most LOOKS times, in turns if there are more
 * instances that wait.  Without a look the connection still counts as one that
 * waits.
 *
 * Collector only.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "alerts/findings.h"
#include "alerts/cause.h"
#include "base/clock.h"
#include "server/blockers.h"

#define LOOKS 8					/* at waiters, in a second */
#define NO_BACKEND (-1)

typedef struct Budget
{
	TimestampTz since;			/* the last pass with looks */
	bool		looking;		/* this pass is one */
	int			looks;			/* that are left */
	int			instances;		/* that waited at the last such pass, and at the
								 * one before */
	int			instances_before;
	int			turn;			/* the first one whose turn it is */
} Budget;

static Budget budget;

static void
renew_budget(TimestampTz now)
{
	budget.looking = pgps_elapsed(budget.since, now) >= USECS_PER_SEC;
	if (!budget.looking)
		return;
	budget.since = now;
	budget.looks = LOOKS;
	budget.instances_before = budget.instances;
	budget.instances = 0;
	budget.turn += LOOKS;
}

/* How many waiters of one more instance may be looked at? */
static int
looks_of_instance(void)
{
	int			all = Max(budget.instances_before, 1);
	int			number = budget.instances++;

	if (number >= all || (number + budget.turn) % all >= LOOKS)
		return 0;
	return Max(LOOKS / all, 1);
}

static void
describe_backend(PgpsParty *party, const PgpsBackend *backend,
				 const PgpsSnapshot *snapshot)
{
	const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);
	const char *via = pgps_pooler_between(snapshot, backend);

	memset(party, 0, sizeof(PgpsParty));
	party->pid = backend->pid;
	party->roleid = backend->roleid;
	party->backend_start = backend->backend_start;
	if (state != NULL)
	{
		strlcpy(party->pool, state->pool->data->key.name, sizeof(party->pool));
		strlcpy(party->instance, state->data->name, sizeof(party->instance));
	}
	if (via != NULL || backend->several)
		strlcpy(party->via, via ? via : "a pooler", sizeof(party->via));
}

/* Who is this process?  Returns its connection; NULL if it is none. */
static const PgpsBackend *
describe_process(PgpsParty *party, int pid, const PgpsSnapshot *snapshot)
{
	const char *kind;
	int			i;

	for (i = 0; i < snapshot->nbackends && pid != PGPS_PREPARED_XACT; i++)
	{
		if (snapshot->backends[i].pid != pid)
			continue;
		describe_backend(party, &snapshot->backends[i], snapshot);
		return &snapshot->backends[i];
	}
	memset(party, 0, sizeof(PgpsParty));
	kind = pgps_process_kind(pid);
	if (kind != NULL)
	{
		party->pid = pid;
		strlcpy(party->what, kind, sizeof(party->what));
	}
	return NULL;
}

/* The root that most of these have; returns how many */
static int
most_frequent(const PgpsBlocking *blockings, int n, PgpsBlocking *most)
{
	int			best = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		int			same = 0;
		int			j;

		if (!blockings[i].found)
			continue;
		for (j = 0; j < n; j++)
			same += blockings[j].found && blockings[j].root == blockings[i].root;
		if (same > best)
		{
			best = same;
			*most = blockings[i];
		}
	}
	return best;
}

/* For whom do they wait? */
static void
find_culprit(PgpsCause *cause, const PgpsSnapshot *snapshot,
			 const PgpsBackend *const *waiters)
{
	PgpsBlocking blockings[LOOKS];
	PgpsBlocking most;
	const PgpsBackend *backend;
	int			allowed = Min(looks_of_instance(), cause->count);
	int			i;

	for (i = 0; i < allowed && budget.looks > 0; i++)
	{
		pgps_find_blocking(waiters[i]->pid, &blockings[i], &budget.looks);
		if (!blockings[i].found && budget.looks == 0)
			break;				/* it was not looked at to the end */
		cause->looked_at++;
	}
	cause->behind = most_frequent(blockings, cause->looked_at, &most);
	if (cause->behind == 0)
		return;
	backend = describe_process(&cause->culprit, most.root, snapshot);
	if (backend != NULL)
	{
		cause->state = backend->state;
		cause->state_since = backend->state_change;
	}
	if (most.between != 0)
		(void) describe_process(&cause->between, most.between, snapshot);
}

/* The connections of each instance that are in a transaction */
struct PgpsHeld
{
	const PgpsSnapshot *snapshot;
	int		   *first;			/* by instance, as linked lists */
	int		   *next;			/* by backend */
	PgpsCause **causes;			/* by instance: found already, or NULL */
};

/* In the current memory context */
PgpsHeld *
pgps_find_held(const PgpsSnapshot *snapshot)
{
	PgpsHeld   *held = palloc(sizeof(PgpsHeld));
	int			i;

	renew_budget(snapshot->taken_at);
	held->snapshot = snapshot;
	held->first = palloc((snapshot->ninstances + 1) * sizeof(int));
	held->next = palloc((snapshot->nbackends + 1) * sizeof(int));
	held->causes = palloc0((snapshot->ninstances + 1) * sizeof(PgpsCause *));
	for (i = 0; i < snapshot->ninstances; i++)
		held->first[i] = NO_BACKEND;
	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		CHECK_FOR_INTERRUPTS();
		if (state == NULL || !backend->in_xact)
			continue;
		held->next[i] = held->first[state - snapshot->instances];
		held->first[state - snapshot->instances] = i;
	}
	return held;
}

static void
note_idle(PgpsCause *cause, const PgpsBackend *backend,
		  const PgpsSnapshot *snapshot)
{
	if (cause->count++ > 0 && backend->state_change >= cause->state_since)
		return;
	describe_backend(&cause->culprit, backend, snapshot);
	cause->state = backend->state;
	cause->state_since = backend->state_change;
}

static void
find_causes(PgpsCause *causes, const PgpsHeld *held,
			const PgpsInstanceState *state)
{
	const PgpsSnapshot *snapshot = held->snapshot;
	const PgpsBackend *waiters[LOOKS];
	PgpsCause  *lock = &causes[PGPS_CAUSE_LOCK];
	PgpsCause  *idle = &causes[PGPS_CAUSE_IDLE_IN_XACT];
	int			lent = pgps_get(&state->now.shown, PGPS_CHECKED_OUT, 0);
	int			seen = 0;
	int			i;

	for (i = held->first[state - snapshot->instances]; i != NO_BACKEND;
		 i = held->next[i])
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		seen++;
		if (backend->idle_in_xact)
			note_idle(idle, backend, snapshot);
		else if (pgps_waits_for_lock(backend->procno, backend->pid))
		{
			if (lock->count < LOOKS)
				waiters[lock->count] = backend;
			lock->count++;
		}
	}
	lock->of = idle->of = lent;
	lock->idle_in_xact = idle->count;
	if (lock->count > 0 && budget.looking)
		find_culprit(lock, snapshot, waiters);

	/* what else is lent out, for no reason that is known here */
	causes[PGPS_CAUSE_NONE].count = Max(Max(lent, seen) - lock->count -
										idle->count, 0);
}

/*
 * What holds up the connections of an instance: how many each kind of cause
 * does, PGPS_NCAUSES of them.  Several alerts may ask.
 */
const PgpsCause *
pgps_find_causes(PgpsHeld *held, const PgpsInstanceState *state)
{
	PgpsCause **causes = &held->causes[state - held->snapshot->instances];

	if (*causes == NULL)
	{
		*causes = palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
		find_causes(*causes, held, state);
	}
	return *causes;
}
