/*-------------------------------------------------------------------------
 *
 * cause_outside.c
 *	  What keeps a pool from having more connections: logins or connections
 *	  that are rejected, its pooler, those who hold a limit's connections.
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

#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "analysis/holdup.h"
#include "analysis/snapshot.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/origin.h"
#include "server/rejection_rows.h"
#include "server/rejections.h"

/* rejections of that time count, while the last one is younger than ... */
#define LOOK_BACK USECS_PER_MINUTE
#define FRESH (10 * USECS_PER_SEC)

/*-------------------------------------------------------------------------
 * Who holds a limit's connections
 *-------------------------------------------------------------------------
 */

static bool
counts_in(const PgpsPoolState *pool, const PgpsSubject *subject)
{
	switch (subject->scope)
	{
		case PGPS_SCOPE_SERVER:
			return true;
		case PGPS_SCOPE_ROLE:
			return strcmp(NameStr(pool->data->usename),
						  NameStr(subject->usename)) == 0;
		case PGPS_SCOPE_DATABASE:
			return strcmp(NameStr(pool->data->datname),
						  NameStr(subject->datname)) == 0;
		case PGPS_SCOPE_POOL:
			return pool->data->key.roleid == subject->roleid &&
				pool->data->key.dbid == subject->dbid &&
				strcmp(pool->data->key.name, subject->pool) == 0;
		default:
			return false;
	}
}

static void
describe_holder(PgpsHolder *holder, const PgpsPoolState *pool, int connections)
{
	holder->roleid = pool->data->key.roleid;
	strlcpy(holder->pool, pool->data->key.name, sizeof(holder->pool));
	holder->connections = connections;
	holder->idle = pool->connections - pool->in_xact;
	holder->idle_in_xact = pool->idle_in_xact;
	holder->superuser = superuser_arg(holder->roleid);
}

/*
 * The pools that hold most connections, or may ask for most of them, and what
 * they do with these
 */
static void
find_holders(PgpsCause *cause, const PgpsSubject *subject, bool committed,
			 const PgpsSnapshot *snapshot)
{
	int			all = 0;
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		int			connections = committed ?
			Min(pool->committed, PG_INT32_MAX / 2) : pool->connections;
		int			place = cause->nholders;

		CHECK_FOR_INTERRUPTS();
		if (connections <= 0 || !counts_in(pool, subject))
			continue;
		all = Min((int64) all + connections, PG_INT32_MAX);
		while (place > 0 &&
			   cause->holders[place - 1].connections < connections)
			place--;
		if (place >= PGPS_HOLDERS)
			continue;
		cause->nholders = Min(cause->nholders + 1, PGPS_HOLDERS);
		memmove(&cause->holders[place + 1], &cause->holders[place],
				(cause->nholders - 1 - place) * sizeof(PgpsHolder));
		describe_holder(&cause->holders[place], pool, connections);
	}
	cause->others = all;
	for (i = 0; i < cause->nholders; i++)
		cause->others -= cause->holders[i].connections;
}

/* Causes of an alert about a limit: there is one. */
const PgpsCause *
pgps_find_holders(const PgpsSubject *subject, bool committed,
				  const PgpsSnapshot *snapshot)
{
	PgpsCause  *causes = palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
	PgpsCauseKind kind = committed ? PGPS_CAUSE_COMMITTED :
		subject->scope == PGPS_SCOPE_ROLE ? PGPS_CAUSE_ROLE_FULL :
		subject->scope == PGPS_SCOPE_DATABASE ? PGPS_CAUSE_DATABASE_FULL :
		subject->scope == PGPS_SCOPE_POOL ? PGPS_CAUSE_POOL_FULL :
		PGPS_CAUSE_SERVER_FULL;
	PgpsCause  *cause = &causes[kind];

	find_holders(cause, subject, committed, snapshot);
	if (cause->nholders > 0)
	{
		cause->count = 1;
		cause->culprit.roleid = cause->holders[0].roleid;
		strlcpy(cause->culprit.pool, cause->holders[0].pool,
				sizeof(cause->culprit.pool));
	}
	cause->kind = kind;
	return causes;
}

/*-------------------------------------------------------------------------
 * Of a pool
 *-------------------------------------------------------------------------
 */

static PgpsCauseKind
kind_of_rejection(PgpsReason reason)
{
	if (pgps_rejecter(reason) == PGPS_AT_LOGIN)
		return PGPS_CAUSE_NOT_CONNECTED;
	switch (reason)
	{
		case PGPS_REASON_ROLE:
			return PGPS_CAUSE_ROLE_FULL;
		case PGPS_REASON_DATABASE:
			return PGPS_CAUSE_DATABASE_FULL;
		case PGPS_REASON_POOL:
			return PGPS_CAUSE_POOL_FULL;
		case PGPS_REASON_OTHER_LIMIT:
			return PGPS_CAUSE_NONE; /* nobody knows who holds it */
		default:
			return pgps_rejecter(reason) == PGPS_BY_LIMIT ?
				PGPS_CAUSE_SERVER_FULL : PGPS_CAUSE_NONE;
	}
}

/* Which limit is it that is used up? */
static void
limit_of(PgpsSubject *subject, PgpsCauseKind kind, const PgpsPool *pool)
{
	*subject = *pgps_make_pool_subject(pool);
	subject->scope = kind == PGPS_CAUSE_ROLE_FULL ? PGPS_SCOPE_ROLE :
		kind == PGPS_CAUSE_DATABASE_FULL ? PGPS_SCOPE_DATABASE :
		kind == PGPS_CAUSE_POOL_FULL ? PGPS_SCOPE_POOL : PGPS_SCOPE_SERVER;
}

/*
 * Was it of this pool?  A login from an address that never got into the pool
 * may be anybody's.
 */
static bool
is_its_own(const PgpsRejection *rejection, const PgpsInstanceState *state,
		   const PgpsSnapshot *snapshot)
{
	const PgpsOrigin *origin = &rejection->origin;
	const PgpsPool *pool = state->pool->data;

	if (state->data->source == PGPS_SOURCE_POOLER)
		return pgps_rejects_pooler(rejection, state, snapshot);
	return !origin->claimed && strcmp(origin->pool, pool->key.name) == 0 &&
		strcmp(origin->usename, NameStr(pool->usename)) == 0 &&
		strcmp(origin->datname, NameStr(pool->datname)) == 0;
}

/* Its connections that were rejected lately hold its callers up. */
static void
find_rejections(PgpsCause *causes, const PgpsInstanceState *state,
				int64 waiting, const PgpsSnapshot *snapshot)
{
	const PgpsRejections *rejections = snapshot->rejections;
	const PgpsPool *pool = state->pool->data;
	TimestampTz last[PGPS_NCAUSES] = {0};
	int			held_up = Max(Min(waiting, PG_INT32_MAX), 1);

	/* a pooler pauses after one */
	int64		fresh = state->data->source == PGPS_SOURCE_POOLER ?
		LOOK_BACK : FRESH;
	int			i;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];
		const PgpsOrigin *origin = &row->origin;
		PgpsCause  *cause;
		PgpsCauseKind kind;

		if (row->last_rejected <= snapshot->taken_at - LOOK_BACK ||
			(kind = kind_of_rejection(origin->reason)) == PGPS_CAUSE_NONE ||
			!is_its_own(row, state, snapshot))
			continue;
		cause = &causes[kind];
		if (cause->rejected == 0 || row->first_rejected < cause->rejected_since)
			cause->rejected_since = row->first_rejected;
		if (row->last_rejected > last[kind])
			cause->reason = origin->reason;
		last[kind] = Max(last[kind], row->last_rejected);
		cause->rejected += row->count;
	}
	for (i = PGPS_CAUSE_NOT_CONNECTED; i < PGPS_NCAUSES; i++)
	{
		PgpsCause  *cause = &causes[i];

		if (cause->rejected == 0 || last[i] <= snapshot->taken_at - fresh)
			continue;
		cause->kind = i;
		cause->count = held_up;
		if (i != PGPS_CAUSE_NOT_CONNECTED)
		{
			PgpsSubject subject;

			limit_of(&subject, i, pool);
			find_holders(cause, &subject, false, snapshot);
			strlcpy(cause->culprit.what, i == PGPS_CAUSE_POOL_FULL ?
					"pool_limits" : pgps_subject_text(&subject), PGPS_WHAT_LEN);
		}
	}
}

/* The pool of a pooler that holds clients of this pool up most, or is it */
static void
find_way(PgpsHoldup *holdup, const PgpsInstanceState *state,
		 const PgpsSnapshot *snapshot)
{
	const PgpsPoolKey *key = &state->pool->data->key;
	int64		waiting = 0;
	int			i;

	memset(holdup, 0, sizeof(PgpsHoldup));
	if (state->data->source == PGPS_SOURCE_POOLER)
	{
		pgps_find_holdup(holdup, state, snapshot);
		return;
	}
	for (i = 0; state->via != NULL && i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		const PgpsPoolKey *its = &pool->data->key;
		const PgpsInstanceState *there;

		if (its->roleid != key->roleid || its->dbid != key->dbid ||
			strcmp(its->name, state->via) != 0 ||
			(there = pgps_held_up_most(pool)) == NULL)
			continue;
		pgps_find_holdup(holdup, there, snapshot);
		waiting = pgps_get(&pool->sum, PGPS_WAITING, 0);
	}
	holdup->waiting = Max(holdup->waiting, waiting);
}

/* Who waits would wait also if its connections did nothing. */
static void
forget_what_they_do(PgpsCause *causes)
{
	int			i;

	for (i = 0; i < PGPS_CAUSE_NOT_CONNECTED; i++)
		causes[i].count = 0;
}

/*
 * Its clients wait in the pooler between it and the server, or it is a pooler
 * itself.  What a pooler's own connections do is told otherwise, and so is what
 * was rejected of them.
 */
static void
find_pooler(PgpsCause *causes, const PgpsInstanceState *state,
			const PgpsSnapshot *snapshot)
{
	PgpsCause  *cause = &causes[PGPS_CAUSE_POOLER];
	bool		itself = state->data->source == PGPS_SOURCE_POOLER;
	PgpsHoldup	holdup;

	find_way(&holdup, state, snapshot);
	if (itself && (holdup.kind == PGPS_HOLDUP_PAUSED ||
				   holdup.kind == PGPS_HOLDUP_LIMIT ||
				   holdup.kind == PGPS_HOLDUP_CONNECTING))
		forget_what_they_do(causes);
	if (holdup.kind == PGPS_HOLDUP_NONE ||
		(itself && (holdup.kind == PGPS_HOLDUP_FULL ||
					holdup.kind == PGPS_HOLDUP_LOGIN ||
					holdup.kind == PGPS_HOLDUP_LIMIT)))
		return;
	cause->kind = PGPS_CAUSE_POOLER;
	cause->count = Max(Min(holdup.waiting, PG_INT32_MAX), 1);
	cause->of = holdup.lent;
	cause->clients = Min(holdup.waiting, PG_INT32_MAX);
	cause->holdup = holdup.kind;
	strlcpy(cause->waiting_app, holdup.waiting_app, PGPS_POOL_LEN);
	cause->several_wait = holdup.several_wait;
	cause->idle = holdup.idle;
	cause->several_hold = holdup.several_hold;
	if (holdup.kind == PGPS_HOLDUP_IDLE_SESSIONS)
	{
		pgps_describe_backend(&cause->holder, holdup.longest, snapshot);
		cause->holder.via[0] = cause->holder.instance[0] = '\0';
		cause->oldest_since = holdup.longest->state_change;
	}
	snprintf(cause->culprit.what, PGPS_WHAT_LEN, "pooler %s",
			 pgps_short_name(itself ? state->pool->data->key.name : state->via));
}

/*
 * Beside what its connections do, if that is known; "causes" are by kind.  So
 * many callers wait, there or at other instances of its pool.
 */
const PgpsCause *
pgps_find_outside(PgpsCause *causes, const PgpsInstanceState *state,
				  int64 waiting, const PgpsSnapshot *snapshot)
{
	if (causes == NULL)
		causes = palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
	find_rejections(causes, state, waiting, snapshot);
	find_pooler(causes, state, snapshot);
	return causes;
}
