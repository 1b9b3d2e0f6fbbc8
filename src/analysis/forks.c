/*-------------------------------------------------------------------------
 *
 * forks.c
 *	  Pools that were made before their process forked.
 *
 * Its children have the label of the process that made it, and report under
 * their own names.  So there is an instance "host:pid" that claims more
 * connections than ever came here with its own label, beside one of the same
 * host and another pid whose label connections have.
 *
 * If that has enough connections for what all of them claim, only the label was
 * made before the fork; if there are others without a label, it may have come
 * too late.  If not, they use the same ones.  A claim is as old as
 * its report, so it says something only if no connection has gone since, and is
 * believed when each of them has claimed it once more.
 *
 * What is suspected is the collector's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"

#include "analysis/forks.h"
#include "base/grow.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/registry.h"
#include "registry/status.h"

/* by number of the instance that has the connections */
typedef struct Suspicion
{
	TimestampTz owner;			/* first_seen of the instance */
	TimestampTz since;			/* 0 = there is none */
} Suspicion;

static Suspicion *suspicions = NULL;
static int	room = 0;

/* Length of the host in "host:pid"; 0 if it is not so */
static Size
host_length(const char *name)
{
	const char *colon = strrchr(name, ':');

	if (colon == NULL || colon[1] == '\0' ||
		colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return 0;
	return colon - name;
}

/*
 * Does it report more connections than it ever made here?  Those that have ended,
 * and that it still counts, are among them.
 */
static bool
claims_others(const PgpsInstanceState *state)
{
	const PgpsInstance *data = state->data;

	return state->live && state->now.reported && !state->now.late &&
		data->source == PGPS_SOURCE_REPORT &&
		!data->elsewhere && !data->other && !state->server.via_pooler &&
		pgps_get(&state->now.shown, PGPS_OPEN, 0) > data->made;
}

static bool
has_labelled(const PgpsInstanceState *state)
{
	return state->live && state->server.labelled > 0 &&
		!state->server.via_pooler && !state->data->other;
}

/*
 * Another instance of its pool and host that has the connections, if it claims
 * some that are not its own; else NULL
 */
const PgpsInstanceState *
pgps_labelled_before_fork(const PgpsInstanceState *state)
{
	const PgpsPoolState *pool = state->pool;
	Size		length = host_length(state->data->name);
	int			i;

	if (length == 0 || !claims_others(state))
		return NULL;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *other = pool->instances[i];

		if (other != state && has_labelled(other) &&
			host_length(other->data->name) == length &&
			strncmp(other->data->name, state->data->name, length) == 0)
			return other;
	}
	return NULL;
}

/*
 * Whose connection does an instance use, of which that is known?  NULL if that
 * one is not here any more.
 */
const PgpsInstanceState *
pgps_shares_with(const PgpsInstanceState *state)
{
	const PgpsPoolState *pool = state->pool;
	const PgpsInstanceState *other = pgps_labelled_before_fork(state);
	int			i;

	/* or both have reported on it */
	for (i = 0; i < pool->ninstances && other == NULL; i++)
	{
		if (pool->instances[i] != state && pool->instances[i]->live &&
			state->data->reported_by != 0 &&
			pool->instances[i]->data->reported_by == state->data->reported_by)
			other = pool->instances[i];
	}
	return other;
}

/* What all instances of one host together have of a pool */
typedef struct HostClaims
{
	int			claimers;
	int64		claimed;
	int64		here;
	TimestampTz oldest;			/* of the claims */
	TimestampTz ended_at;		/* when a connection went for the last time */
} HostClaims;

static HostClaims
add_up_host(const PgpsPoolState *pool, const PgpsInstanceState *parent)
{
	Size		length = host_length(parent->data->name);
	HostClaims	sum = {.oldest = PG_INT64_MAX};
	int			i;

	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];
		bool		labelled = has_labelled(state);

		if (host_length(state->data->name) != length ||
			strncmp(state->data->name, parent->data->name, length) != 0)
			continue;
		if (labelled)
		{
			sum.here += state->server.connections - state->server.reporters;
			sum.ended_at = Max(sum.ended_at, state->data->ended_at);
		}
		if (labelled ? !state->now.reported || state->now.late :
			!claims_others(state))
			continue;
		sum.claimers++;
		sum.claimed += pgps_get(&state->now.shown, PGPS_OPEN, 0);
		sum.oldest = Min(sum.oldest, state->data->last_report);
	}
	return sum;
}

/* They use each other's connections. */
static void
note_host(const PgpsPoolState *pool, const PgpsInstanceState *parent)
{
	int			i;

	for (i = 0; i < pool->ninstances; i++)
	{
		if (pgps_labelled_before_fork(pool->instances[i]) == parent)
			pgps_registry_note_fork(pool->instances[i]->copy);
	}
}

/* How many connections of its role and database may be anybody's? */
static int
count_unlabelled(const PgpsSnapshot *snapshot, const PgpsPoolKey *key)
{
	int			n = 0;
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		n += backend->roleid == key->roleid && backend->dbid == key->dbid &&
			!backend->labelled && !backend->only_reports;
	}
	return n;
}

static void
look_at_host(const PgpsPoolState *pool, const PgpsInstanceState *parent,
			 int unlabelled, TimestampTz now)
{
	Suspicion  *suspicion = &suspicions[parent->copy->index];
	HostClaims	sum = add_up_host(pool, parent);

	if (suspicion->owner != parent->data->first_seen)
	{
		suspicion->owner = parent->data->first_seen;
		suspicion->since = 0;
	}
	if (sum.claimers < 2 || sum.claimed <= sum.here + unlabelled)
		suspicion->since = 0;
	else if (sum.ended_at >= sum.oldest)
		return;					/* what has gone may have been claimed */
	else if (suspicion->since == 0)
		suspicion->since = now;
	else if (sum.oldest > suspicion->since)
		note_host(pool, parent);
}

static void
look_at_pool(const PgpsPoolState *pool, const PgpsSnapshot *snapshot)
{
	Bitmapset  *seen = NULL;
	bool		labelled = false;
	int			unlabelled = -1;	/* not counted yet */
	int			i;

	for (i = 0; i < pool->ninstances && !labelled; i++)
		labelled = has_labelled(pool->instances[i]);
	for (i = 0; i < pool->ninstances && labelled; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];
		const PgpsInstanceState *parent;

		CHECK_FOR_INTERRUPTS();
		if (state->data->fork_shared ||
			(parent = pgps_labelled_before_fork(state)) == NULL ||
			bms_is_member(parent->copy->index, seen))
			continue;
		seen = bms_add_member(seen, parent->copy->index);
		if (unlabelled < 0)
			unlabelled = count_unlabelled(snapshot, &pool->data->key);
		look_at_host(pool, parent, unlabelled, snapshot->taken_at);
	}
	bms_free(seen);
}

/* Look for pools whose processes use each other's connections. */
void
pgps_forks_note(const PgpsSnapshot *snapshot)
{
	int			i;

	suspicions = pgps_grow(suspicions, &room, snapshot->max_instance,
						   sizeof(Suspicion));
	for (i = 0; i < snapshot->npools; i++)
		look_at_pool(&snapshot->pools[i], snapshot);
}
