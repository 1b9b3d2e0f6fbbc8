/*-------------------------------------------------------------------------
 *
 * lock_culprit.c
 *	  Behind whom do the connections of a pool wait that wait for locks?
 *
 * It is looked up at one pass a second, at most PGPS_LOOKS times, in turns if
 * there are more pools that wait.  Without a look a connection still counts as
 * one that waits.
 *
 * Collector only.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "alerts/cause.h"
#include "analysis/snapshot.h"
#include "base/clock.h"
#include "registry/backends.h"
#include "server/blockers.h"

/* a waiter that was looked at */
typedef struct Look
{
	int			pid;
	PgpsBlocking blocking;
} Look;

typedef struct Budget
{
	TimestampTz since;			/* the last pass with looks */
	bool		looking;		/* this pass is one */
	int			looks;			/* that are left */
	Look		done[PGPS_LOOKS];	/* at this pass */
	int			ndone;
	int			pools;			/* that waited at this such pass, and at the
								 * one before */
	int			pools_before;
	int			turn;			/* the first one whose turn it is */
} Budget;

static Budget budget;

/* Called at each pass */
void
pgps_renew_looks(TimestampTz now)
{
	budget.looking = pgps_elapsed(budget.since, now) >= USECS_PER_SEC;
	if (!budget.looking)
		return;
	budget.since = now;
	budget.looks = PGPS_LOOKS;
	budget.ndone = 0;
	budget.pools_before = budget.pools;
	budget.pools = 0;
	budget.turn += PGPS_LOOKS;
}

/* How many waiters of one more pool may be looked at? */
static int
looks_of_pool(void)
{
	int			all = Max(budget.pools_before, 1);
	int			number = budget.pools++;

	if (number >= all || (number + budget.turn) % all >= PGPS_LOOKS)
		return 0;
	return Max(PGPS_LOOKS / all, 1);
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
		pgps_describe_backend(party, &snapshot->backends[i], snapshot);
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

/*
 * Behind whom does it wait?  NULL if it was not looked at, or not to the end.
 * Several alerts may be about one waiter.
 */
static const PgpsBlocking *
look_at(int pid, int *share)
{
	Look	   *look = &budget.done[budget.ndone];
	int			i;

	for (i = 0; i < budget.ndone; i++)
	{
		if (budget.done[i].pid == pid)
			return &budget.done[i].blocking;
	}
	if (*share == 0 || budget.looks == 0)
		return NULL;
	(*share)--;
	look->pid = pid;
	pgps_find_blocking(pid, &look->blocking, &budget.looks);
	if (!look->blocking.found && budget.looks == 0)
		return NULL;
	budget.ndone++;
	return &look->blocking;
}

/*
 * For whom do they wait?  "waiters" are the first ones; "share" is what is left
 * of the looks of their pool at this pass, PGPS_NO_SHARE at first.
 */
void
pgps_find_culprit(PgpsCause *cause, const PgpsSnapshot *snapshot,
				  const PgpsBackend *const *waiters, int *share)
{
	PgpsBlocking blockings[PGPS_LOOKS];
	PgpsBlocking most;
	const PgpsBackend *backend;
	int			i;

	if (!budget.looking)
		return;
	if (*share == PGPS_NO_SHARE)
		*share = looks_of_pool();
	for (i = 0; i < Min(cause->count, PGPS_LOOKS); i++)
	{
		const PgpsBlocking *blocking = look_at(waiters[i]->pid, share);

		if (blocking != NULL)
			blockings[cause->looked_at++] = *blocking;
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
