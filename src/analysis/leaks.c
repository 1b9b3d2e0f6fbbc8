/*-------------------------------------------------------------------------
 *
 * leaks.c
 *	  Connections that somebody borrowed and does not use.
 *
 * Somebody may end a connection because it is named here, so nothing is
 * claimed that is not proved.  A connection counts as leaked in three cases:
 *
 * - It is idle in a transaction for leak_after.  No pool takes that back.
 * - It is amid a statement, and for leak_after its client has read nothing of
 *	 the result, or fetched nothing from a cursor (server/stuck.c).  COPY is work
 *	 that may wait for its data.
 * - The pool reports it as lent out, and the server has seen no statement on
 *	 it for leak_after.
 *
 * A pool that names its lent connections by pid makes the second case exact.
 * From a pool that reports numbers follows a lower bound: the connections
 * without a statement for leak_after, less those that may be idle in the pool,
 * less those that were here at the report but are not the pool's.  How many
 * are idle in the pool changes between reports, so the most that any report
 * of the last leak_after had is taken off.
 *
 * A pool that has leaked itself full cannot report any more, so a late report
 * still holds.  But connections may have been given back since, and giving
 * back needs no statement.  So a report that is late although the pool could
 * have reported, or older than the newest transaction, is used only for
 * connections that had already been idle for half of leak_after when it came.
 *
 * Reads a snapshot; only who holds advisory locks is looked up (server/locks.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/backend_status.h"

#include "analysis/leaks.h"
#include "base/settings.h"
#include "dialects/fields.h"
#include "registry/carry.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/locks.h"

#define NO_BACKEND (-1)

/* backends of each instance that are idle for long, as linked lists */
typedef struct IdleBackends
{
	TimestampTz before;			/* since then or longer */
	int		   *first;			/* by instance */
	int		   *next;			/* by backend */
	int		   *others;			/* by instance: connections that were here at
								 * its last report and are not the pool's */
} IdleBackends;

static inline bool
is_pools_own(const PgpsBackend *backend)
{
	return backend->labelled && !backend->only_reports;
}

/* In which way may it be leaked?  PGPS_LEAK_KINDS = in none, it works. */
static PgpsLeakKind
kind_of(const PgpsBackend *backend)
{
	if (backend->idle_in_xact)
		return PGPS_LEAK_IN_XACT;
	if (backend->state == STATE_IDLE)
		return PGPS_LEAK_LENT;
	if (backend->waits_for_client && backend->in_xact && !backend->copies &&
		backend->stuck_since != 0)
		return PGPS_LEAK_UNREAD;
	return PGPS_LEAK_KINDS;
}

static TimestampTz
last_used(const PgpsBackend *backend)
{
	return kind_of(backend) == PGPS_LEAK_UNREAD ? backend->stuck_since :
		backend->state_change;
}

static void
list_idle_backends(IdleBackends *idle, const PgpsSnapshot *snapshot)
{
	int			i;

	idle->before = snapshot->taken_at - pgps_leak_after * USECS_PER_SEC;
	idle->first = palloc(snapshot->ninstances * sizeof(int));
	idle->others = palloc0(snapshot->ninstances * sizeof(int));
	idle->next = palloc(snapshot->nbackends * sizeof(int));
	for (i = 0; i < snapshot->ninstances; i++)
		idle->first[i] = NO_BACKEND;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		CHECK_FOR_INTERRUPTS();
		if (state == NULL)
			continue;
		if (!is_pools_own(backend) && backend->pid != state->data->reported_by &&
			backend->backend_start <= Max(state->data->books_at, state->data->pids_at))
			idle->others[state - snapshot->instances]++;
		if (kind_of(backend) == PGPS_LEAK_KINDS ||
			last_used(backend) > idle->before)
			continue;
		idle->next[i] = idle->first[state - snapshot->instances];
		idle->first[state - snapshot->instances] = i;
	}
}

/*
 * Does the pool report which or how many of its connections are lent out?  It
 * must also be known which connections are its own: by their label, without a
 * pooler in between, and with one process under its name.  Sets the time of
 * that report, and whether it names connections.
 */
static bool
has_books(const PgpsInstanceState *state, TimestampTz *books_at, bool *by_pid)
{
	const PgpsInstance *data = state->data;

	bool		counted = pgps_known(&data->reported, PGPS_CHECKED_IN) &&
		pgps_known(&data->reported, PGPS_CHECKED_OUT);

	*by_pid = data->pids_at >= data->books_at && (data->pids_lent || counted);
	*books_at = *by_pid ? data->pids_at : data->books_at;
	return *books_at != 0 && (*by_pid || counted) &&
		state->server.labelled > 0 && !state->server.via_pooler &&
		!data->other && !data->carry.shared;
}

/* Could this idle connection be one of those lent out? */
static bool
may_be_lent(const PgpsBackend *backend, const PgpsInstanceState *state,
			bool by_pid, TimestampTz idle_before)
{
	if (!is_pools_own(backend))
		return false;
	return !by_pid || (backend->lent_at >= state->data->pids_at &&
					   backend->idle_at <= idle_before);
}

/*
 * How many of so many candidates must be lent out, and how many of them may
 * be idle in the pool.
 */
static int
count_lent(const PgpsInstanceState *state, int candidates, bool by_pid,
		   int others, TimestampTz now, int *idle)
{
	const PgpsInstance *data = state->data;
	int64		lent = pgps_get(&data->reported, PGPS_CHECKED_OUT, 0);
	int64		in_pool = pgps_get(&data->reported, PGPS_CHECKED_IN, 0);
	int64		not_claimed;
	int64		at_least;

	*idle = 0;
	if (by_pid && data->pids_lent)
		return candidates;
	not_claimed = Max(data->attached - others - (lent + in_pool), 0);
	if (!by_pid)
		*idle = Max(in_pool, pgps_instance_most_idle(data, now));
	at_least = Min(candidates - *idle - not_claimed, lent);
	return Max(at_least, 0);
}

/* Exempt ones last; the others longest idle first */
static int
compare_suspects(const void *a, const void *b)
{
	const PgpsSuspect *x = a;
	const PgpsSuspect *y = b;

	if ((x->exempt != PGPS_NOT_EXEMPT) != (y->exempt != PGPS_NOT_EXEMPT))
		return x->exempt != PGPS_NOT_EXEMPT ? 1 : -1;
	return (x->since > y->since) - (x->since < y->since);
}

/*
 * Count those that are not exempt.  Of the candidates, the longest idle of
 * those that leaked is at least as old as the youngest "at_least" of them.
 */
static void
count_leak(PgpsLeak *leak, int others, TimestampTz now)
{
	int			i;

	leak->candidates = 0;
	for (i = 0; i < leak->nsuspects; i++)
		leak->candidates += leak->suspects[i].exempt == PGPS_NOT_EXEMPT;
	leak->idle = 0;
	leak->at_least = leak->kind != PGPS_LEAK_LENT ? leak->candidates :
		count_lent(leak->state, leak->candidates, leak->by_pid, others, now,
				   &leak->idle);
	if (leak->at_least == 0)
		return;
	qsort(leak->suspects, leak->nsuspects, sizeof(PgpsSuspect),
		  compare_suspects);
	leak->since = leak->suspects[leak->candidates - leak->at_least].since;
}

/*
 * What an instance has leaked in this way.  Its suspects are written to
 * "suspects".  Returns false if there is nothing to claim.
 */
static bool
judge_leak(PgpsLeak *leak, PgpsLeakKind kind, const PgpsSnapshot *snapshot,
		   const PgpsInstanceState *state, const IdleBackends *idle,
		   PgpsSuspect *suspects)
{
	int			n = state - snapshot->instances;
	TimestampTz before = idle->before;
	TimestampTz books_at;
	int			i;

	memset(leak, 0, sizeof(PgpsLeak));
	leak->state = state;
	leak->kind = kind;
	leak->suspects = suspects;
	if (kind == PGPS_LEAK_LENT)
	{
		bool		overtaken;

		if (!has_books(state, &books_at, &leak->by_pid))
			return false;
		overtaken = state->server.last_xact > books_at ||
			(state->now.late && state->now.status != PGPS_EXHAUSTED);
		before = Min(before, books_at - (overtaken ?
										 pgps_leak_after * USECS_PER_SEC / 2 : 0));
	}

	for (i = idle->first[n]; i != NO_BACKEND; i = idle->next[i])
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		PgpsSuspect *suspect = &suspects[leak->nsuspects];

		if (kind_of(backend) != kind || last_used(backend) > before ||
			(kind == PGPS_LEAK_LENT &&
			 !may_be_lent(backend, state, leak->by_pid, idle->before)))
			continue;
		suspect->backend = backend;
		suspect->since = last_used(backend);
		suspect->exempt = kind == PGPS_LEAK_LENT && backend->listens ?
			PGPS_EXEMPT_LISTENS : PGPS_NOT_EXEMPT;
		leak->nsuspects++;
	}
	count_leak(leak, idle->others[n], snapshot->taken_at);
	return leak->at_least > 0;
}

/* Exempt those that hold an advisory lock: that is what they are kept for. */
static void
exempt_lock_holders(PgpsSuspect *suspects, int n)
{
	PgpsLockHolder *holders = palloc0(n * sizeof(PgpsLockHolder));
	int			i;

	for (i = 0; i < n; i++)
	{
		holders[i].procno = suspects[i].backend->procno;
		holders[i].pid = suspects[i].backend->pid;
	}
	pgps_find_advisory_locks(holders, n);
	for (i = 0; i < n; i++)
	{
		if (suspects[i].exempt == PGPS_NOT_EXEMPT && holders[i].advisory)
			suspects[i].exempt = PGPS_EXEMPT_ADVISORY_LOCK;
	}
	pfree(holders);
}

/*
 * All leaks at the moment of a snapshot, in the current memory context.  An
 * instance can have one of each kind.
 */
PgpsLeak *
pgps_find_leaks(const PgpsSnapshot *snapshot, int *nleaks)
{
	IdleBackends idle;
	PgpsLeak   *leaks = palloc(snapshot->ninstances * PGPS_LEAK_KINDS *
							   sizeof(PgpsLeak));
	PgpsSuspect *suspects = palloc(snapshot->nbackends * sizeof(PgpsSuspect));
	int			nsuspects = 0;
	int			found = 0;
	int			i;

	list_idle_backends(&idle, snapshot);
	for (i = 0; i < snapshot->ninstances; i++)
	{
		int			kind;

		CHECK_FOR_INTERRUPTS();
		if (idle.first[i] == NO_BACKEND)
			continue;
		for (kind = 0; kind < PGPS_LEAK_KINDS; kind++)
		{
			if (judge_leak(&leaks[found], kind, snapshot,
						   &snapshot->instances[i], &idle,
						   suspects + nsuspects))
				nsuspects += leaks[found++].nsuspects;
		}
	}

	*nleaks = 0;
	if (nsuspects > 0)
		exempt_lock_holders(suspects, nsuspects);
	for (i = 0; i < found; i++)
	{
		count_leak(&leaks[i], idle.others[leaks[i].state - snapshot->instances],
				   snapshot->taken_at);
		if (leaks[i].at_least > 0)
			leaks[(*nleaks)++] = leaks[i];
	}
	return leaks;
}

/*
 * Does the floor of a pool rise?  The floor of ten minutes is the fewest
 * connections that were lent out at any moment of them.  Each leak raises it
 * by one for good; peaks of load do not raise it.
 *
 * It rises if the last three floors never went down and are above all floors
 * of the six hours before, of which at least half must be known.  That alone
 * proves no leak: load that grows in the morning looks the same.
 */
void
pgps_find_floor(PgpsFloor *floor, const PgpsBucket *buckets, int nbuckets,
				TimestampTz now)
{
	int64		length = pgps_period_length(PGPS_TEN_MINUTES);
	int32		last[4] = {-1, -1, -1, -1}; /* newest first */
	int			known = 0;
	int			i;

	memset(floor, 0, sizeof(PgpsFloor));
	floor->at = pgps_bucket_start(PGPS_TEN_MINUTES, now);
	for (i = 0; i < nbuckets; i++)
	{
		int64		ago = (floor->at - buckets[i].start) / length - 1;
		int32		least = buckets[i].min_checked_out;

		if (ago >= 0 && ago < lengthof(last))
			last[ago] = least;
		if (ago >= 3 && ago < 3 + 36 && least >= 0)
		{
			floor->before = Max(floor->before, least);
			known++;
		}
	}
	floor->rises = known >= 18 && last[3] >= 0 && last[2] > floor->before &&
		last[1] >= last[2] && last[0] >= last[1];
	for (i = 0; i < 3; i++)
		floor->floor[i] = last[2 - i];
	floor->rate = (double) (last[0] - last[3]) / (3 * length);
}

/* When so many will be lent out if the floor goes on rising; 0 = unknown */
TimestampTz
pgps_exhausts_at(const PgpsFloor *floor, int64 max_size)
{
	if (!floor->rises || max_size < floor->floor[2])
		return 0;
	return floor->at + (int64) ((max_size - floor->floor[2]) / floor->rate);
}

/*-------------------------------------------------------------------------
 * In words
 *-------------------------------------------------------------------------
 */

/* The reason, for a reader */
char *
pgps_leak_evidence(const PgpsLeak *leak, const PgpsFloor *floor,
				   TimestampTz now)
{
	int64		seconds = (now - leak->since) / USECS_PER_SEC;
	StringInfoData text;

	initStringInfo(&text);
	if (leak->kind == PGPS_LEAK_IN_XACT)
		appendStringInfo(&text, "%d idle in transaction for " INT64_FORMAT " s or more",
						 leak->at_least, seconds);
	else if (leak->kind == PGPS_LEAK_UNREAD)
		appendStringInfo(&text, "%d amid a statement whose result is not read or fetched for " INT64_FORMAT " s or more",
						 leak->at_least, seconds);
	else if (leak->by_pid)
		appendStringInfo(&text, "%d that the pool names as lent out without a statement for " INT64_FORMAT " s or more",
						 leak->at_least, seconds);
	else
		appendStringInfo(&text, "%d without a statement for " INT64_FORMAT " s or more, at most %d of them idle in the pool by its reports",
						 leak->candidates,
						 (now - leak->suspects[leak->candidates - 1].since) / USECS_PER_SEC,
						 leak->idle);
	if (leak->state->now.ghosts > 0)
		appendStringInfo(&text, "; the pool counts " INT64_FORMAT " as lent out that are not here",
						 leak->state->now.ghosts);
	if (floor->rises)
		appendStringInfo(&text, "; the fewest lent out in 10 min rise: %d, %d, %d, and at most %d in the 6 h before",
						 floor->floor[0], floor->floor[1], floor->floor[2],
						 floor->before);
	return text.data;
}

/* What was not counted, and why; NULL if nothing was left out */
char *
pgps_leak_exempt(const PgpsLeak *leak)
{
	StringInfoData text;
	int			i;

	if (leak->nsuspects == leak->candidates)
		return NULL;
	initStringInfo(&text);
	for (i = leak->candidates; i < leak->nsuspects; i++)
		appendStringInfo(&text, "%s%d %s", i > leak->candidates ? ", " : "",
						 leak->suspects[i].backend->pid,
						 leak->suspects[i].exempt == PGPS_EXEMPT_LISTENS ?
						 "listens" : "holds an advisory lock");
	return text.data;
}

/* Ending an innocent connection breaks somebody's work. */
const char *
pgps_leak_advice(const PgpsLeak *leak)
{
	if (leak->kind == PGPS_LEAK_IN_XACT)
		return "restart that process, or end these connections; idle_in_transaction_session_timeout ends such by itself";
	if (leak->kind == PGPS_LEAK_UNREAD)
		return "restart that process, or end these connections; results must be read to the end, or closed";
	if (leak->at_least < leak->candidates)
		return "restart that process, or end candidates one at a time; checked_out_pids in its reports would show which";
	return "restart that process; ending these connections gives the server its slots back, but not the pool";
}
