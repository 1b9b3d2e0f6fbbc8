/*-------------------------------------------------------------------------
 *
 * commitments.c
 *	  How many connections the pools may ask for, of each limit.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/commitments.h"

/* what the pools of one role in one database may ask for */
typedef struct Commitment
{
	Oid			roleid;
	Oid			dbid;
	int64		claimed;		/* by reports and labels */
	int64		claimed_peak;
	int			uncapped;
	int64		missing;		/* reported as open, but not seen as
								 * labelled */
	int			unlabelled;		/* connections of discovered instances */
	int			discovered;		/* live discovered instances */
} Commitment;

/* what several pools of a pooler claim beyond the maximum that they share */
typedef struct Excess
{
	Oid			dbid;
	uint32		shared_by;
	int64		claimed;
	int64		cap;
} Excess;

struct PgpsCommitments
{
	int			count;
	Commitment *items;
	int			nexcesses;
	Excess	   *excesses;
};

/* Does the plan replace a pool? */
static bool
is_replaced(const List *plan, const PgpsPoolKey *key)
{
	ListCell   *lc;

	foreach(lc, plan)
	{
		const PgpsPlannedPool *p = lfirst(lc);

		if (p->replaces && strcmp(p->replaces, key->name) == 0 &&
			p->roleid == key->roleid && p->dbid == key->dbid)
			return true;
	}
	return false;
}

static Commitment *
find_commitment(PgpsCommitments *commitments, Oid roleid, Oid dbid)
{
	Commitment *item;
	int			i;

	for (i = 0; i < commitments->count; i++)
	{
		item = &commitments->items[i];
		if (item->roleid == roleid && item->dbid == dbid)
			return item;
	}
	item = &commitments->items[commitments->count++];
	memset(item, 0, sizeof(Commitment));
	item->roleid = roleid;
	item->dbid = dbid;
	return item;
}

/* Add what one pool of a pooler claims to those it shares a maximum with. */
static void
add_to_shared(PgpsCommitments *commitments, const PgpsInstanceState *state)
{
	const PgpsInstance *data = state->data;
	Excess	   *excess;
	int			i;

	for (i = 0; i < commitments->nexcesses; i++)
	{
		if (commitments->excesses[i].shared_by == data->shared_by)
			break;
	}
	excess = &commitments->excesses[i];
	if (i == commitments->nexcesses)
	{
		memset(excess, 0, sizeof(Excess));
		excess->dbid = state->pool->data->key.dbid;
		excess->shared_by = data->shared_by;
		excess->cap = data->shared_cap;
		commitments->nexcesses++;
	}
	excess->claimed += pgps_get(&state->now.shown, PGPS_MAX_SIZE, 0);
}

/* The session that asks whether a plan fits is not counted. */
static void
leave_out_caller(Commitment *item, const PgpsPoolState *pool)
{
	int			i;

	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];

		if (state->data->source == PGPS_SOURCE_DISCOVERY &&
			state->copy->index == pgps_backend_instance())
		{
			item->unlabelled--;
			item->discovered -= state->server.connections == 1;
		}
	}
}

/*
 * Add up the pools by role and database.  With a plan (list of
 * PgpsPlannedPool), without those that it replaces and without the session
 * that asks.
 */
PgpsCommitments *
pgps_commitments(const PgpsSnapshot *snapshot, const List *plan)
{
	PgpsCommitments *result = palloc(sizeof(PgpsCommitments));
	int			i;

	result->count = 0;
	result->items = palloc(Max(snapshot->npools, 1) * sizeof(Commitment));
	result->nexcesses = 0;
	result->excesses = palloc(Max(snapshot->ninstances, 1) * sizeof(Excess));
	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];

		if (state->live && state->data->source == PGPS_SOURCE_POOLER &&
			state->data->seen_here && state->data->shared_cap > 0)
			add_to_shared(result, state);
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		Commitment *item;

		if (is_replaced(plan, &pool->data->key))
			continue;
		item = find_commitment(result, pool->data->key.roleid,
							   pool->data->key.dbid);
		item->claimed += pool->committed;
		item->claimed_peak += pool->peak_committed;
		item->uncapped += pool->uncapped;
		item->missing += pool->missing;
		item->unlabelled += pool->unlabelled;
		item->discovered += pool->discovered;
		if (plan != NIL)
			leave_out_caller(item, pool);
	}
	return result;
}

/*
 * What is committed of one limit: what reports and labels claim, plus
 * unlabelled connections.  Some of these may belong to a pool that reports but
 * has no label: as many as its reports have open and the server does not see
 * under its label.  They are part of the claim already, so only the other
 * unlabelled connections are added.
 */
PgpsCommitted
pgps_committed(const PgpsCommitments *commitments, PgpsScope scope, Oid oid)
{
	PgpsCommitted sum = {0};
	int			i;

	for (i = 0; i < commitments->count; i++)
	{
		const Commitment *item = &commitments->items[i];
		int64		unclaimed = Max(item->unlabelled - item->missing, 0);

		if ((scope == PGPS_SCOPE_ROLE && item->roleid != oid) ||
			(scope == PGPS_SCOPE_DATABASE && item->dbid != oid))
			continue;
		sum.now += item->claimed + unclaimed;
		sum.peak += item->claimed_peak + unclaimed;
		sum.uncapped += item->uncapped;
		if (unclaimed > 0)
			sum.uncapped += item->discovered;
	}

	/* one role alone may use all of a maximum that it shares with others */
	for (i = 0; scope != PGPS_SCOPE_ROLE && i < commitments->nexcesses; i++)
	{
		const Excess *excess = &commitments->excesses[i];
		int64		beyond = Max(excess->claimed - excess->cap, 0);

		if (scope == PGPS_SCOPE_DATABASE && excess->dbid != oid)
			continue;
		sum.now -= beyond;
		sum.peak = Max(sum.peak - beyond, sum.now);
	}
	return sum;
}

/*
 * What is committed of a pooler's client connections: what the pools behind it
 * may ask for, and the clients it has beyond that.
 */
PgpsCommitted
pgps_committed_behind(const PgpsSnapshot *snapshot, const List *plan,
					  const PgpsPooler *pooler)
{
	PgpsCommitted sum = {0};
	int64		claimed = 0;
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];

		if (pool->via == NULL || strcmp(pool->via, pooler->name) != 0)
			continue;
		claimed += pool->behind;
		if (is_replaced(plan, &pool->data->key))
			continue;
		sum.now += pool->behind;
		sum.uncapped += pool->behind_uncapped;
	}
	sum.now += Max(pooler->clients - claimed, 0);
	sum.peak = sum.now;
	return sum;
}
