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

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "analysis/commitments.h"
#include "base/table.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/status.h"

/* what the pools of one role in one database may ask for */
typedef struct CommitmentKey
{
	Oid			roleid;
	Oid			dbid;
} CommitmentKey;

typedef struct Commitment
{
	CommitmentKey key;
	int64		claimed;		/* by reports and labels */
	int64		claimed_peak;
	int			uncapped;
	int64		missing;		/* reported as open, but not seen as labelled */
	int			unlabelled;		/* connections of discovered instances */
	int			discovered;		/* live discovered instances */
} Commitment;

/* what several pools of a pooler claim beyond the maximum that they share */
typedef struct Excess
{
	uint32		shared_by;		/* key */
	Oid			dbid;
	int64		claimed;
	int64		cap;
} Excess;

/* what is committed of one limit */
typedef struct SumKey
{
	PgpsScope	scope;
	Oid			oid;			/* InvalidOid for the server */
} SumKey;

typedef struct Sum
{
	SumKey		key;
	PgpsCommitted committed;
} Sum;

struct PgpsCommitments
{
	HTAB	   *pairs;			/* of Commitment */
	HTAB	   *excesses;		/* of Excess */
	HTAB	   *sums;			/* of Sum */
};

/* Does the plan replace a pool? */
bool
pgps_is_replaced(const List *plan, const PgpsPoolKey *key)
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
find_commitment(PgpsCommitments *commitments, const PgpsPoolKey *pool)
{
	CommitmentKey key = {pool->roleid, pool->dbid};
	bool		found;
	Commitment *item = hash_search(commitments->pairs, &key, HASH_ENTER, &found);

	if (!found)
	{
		memset(item, 0, sizeof(Commitment));
		item->key = key;
	}
	return item;
}

/* Add what one pool of a pooler claims to those it shares a maximum with. */
static void
add_to_shared(PgpsCommitments *commitments, const PgpsInstanceState *state)
{
	const PgpsInstance *data = state->data;
	bool		found;
	Excess	   *excess = hash_search(commitments->excesses, &data->shared_by,
									 HASH_ENTER, &found);

	if (!found)
	{
		excess->dbid = state->pool->data->key.dbid;
		excess->claimed = 0;
		excess->cap = data->shared_cap;
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

		CHECK_FOR_INTERRUPTS();
		if (state->data->source == PGPS_SOURCE_DISCOVERY &&
			state->copy->index == pgps_backend_instance())
		{
			item->unlabelled--;
			item->discovered -= state->server.connections == 1;
		}
	}
}

static PgpsCommitted *
find_sum(PgpsCommitments *commitments, PgpsScope scope, Oid oid)
{
	SumKey		key = {scope, oid};
	bool		found;
	Sum		   *sum = hash_search(commitments->sums, &key, HASH_ENTER, &found);

	if (!found)
		memset(&sum->committed, 0, sizeof(PgpsCommitted));
	return &sum->committed;
}

/*
 * Add up what each limit is committed to: what reports and labels claim, plus
 * unlabelled connections.  Some of these may belong to a pool that reports but
 * has no label: as many as its reports have open and the server does not see
 * under its label.  They are part of the claim already, so only the other
 * unlabelled connections are added.
 */
static void
add_up(PgpsCommitments *commitments)
{
	HASH_SEQ_STATUS scan;
	const Commitment *item;
	const Excess *excess;
	int			i;

	hash_seq_init(&scan, commitments->pairs);
	while ((item = hash_seq_search(&scan)) != NULL)
	{
		int64		unclaimed = Max(item->unlabelled - item->missing, 0);
		PgpsCommitted *sums[] = {
			find_sum(commitments, PGPS_SCOPE_SERVER, InvalidOid),
			find_sum(commitments, PGPS_SCOPE_DATABASE, item->key.dbid),
			find_sum(commitments, PGPS_SCOPE_ROLE, item->key.roleid)
		};

		for (i = 0; i < lengthof(sums); i++)
		{
			sums[i]->now += item->claimed + unclaimed;
			sums[i]->peak += item->claimed_peak + unclaimed;
			sums[i]->uncapped += item->uncapped;
			if (unclaimed > 0)
				sums[i]->uncapped += item->discovered;
		}
	}

	/* one role alone may use all of a maximum that it shares with others */
	hash_seq_init(&scan, commitments->excesses);
	while ((excess = hash_seq_search(&scan)) != NULL)
	{
		int64		beyond = Max(excess->claimed - excess->cap, 0);
		PgpsCommitted *sums[] = {
			find_sum(commitments, PGPS_SCOPE_SERVER, InvalidOid),
			find_sum(commitments, PGPS_SCOPE_DATABASE, excess->dbid)
		};

		for (i = 0; i < lengthof(sums); i++)
		{
			sums[i]->now -= beyond;
			sums[i]->peak = Max(sums[i]->peak - beyond, sums[i]->now);
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

	result->pairs = pgps_make_table("pgpool_stats commitments", 64,
									sizeof(CommitmentKey), sizeof(Commitment));
	result->excesses = pgps_make_table("pgpool_stats commitments", 64,
									   sizeof(uint32), sizeof(Excess));
	result->sums = pgps_make_table("pgpool_stats commitments", 64,
								   sizeof(SumKey), sizeof(Sum));
	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];

		CHECK_FOR_INTERRUPTS();
		if (state->live && state->data->source == PGPS_SOURCE_POOLER &&
			state->data->seen_here && state->data->shared_cap > 0)
			add_to_shared(result, state);
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		Commitment *item;

		CHECK_FOR_INTERRUPTS();
		if (pgps_is_replaced(plan, &pool->data->key))
			continue;
		item = find_commitment(result, &pool->data->key);
		item->claimed += pool->committed;
		item->claimed_peak += pool->peak_committed;
		item->uncapped += pool->uncapped;
		item->missing += pool->missing;
		item->unlabelled += pool->unlabelled;
		item->discovered += pool->discovered;
		if (plan != NIL)
			leave_out_caller(item, pool);
	}
	add_up(result);
	return result;
}

/* What is committed of one limit; "oid" is InvalidOid for the server. */
PgpsCommitted
pgps_committed(const PgpsCommitments *commitments, PgpsScope scope, Oid oid)
{
	static const PgpsCommitted none = {0};
	SumKey		key = {scope, oid};
	const Sum  *sum = hash_search(commitments->sums, &key, HASH_FIND, NULL);

	return sum != NULL ? sum->committed : none;
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

		CHECK_FOR_INTERRUPTS();
		if (pool->via == NULL || strcmp(pool->via, pooler->name) != 0)
			continue;
		claimed += pool->behind;
		if (pgps_is_replaced(plan, &pool->data->key))
			continue;
		sum.now += pool->behind;
		sum.uncapped += pool->behind_uncapped;
	}
	sum.now += Max(pooler->clients - claimed, 0);
	sum.peak = sum.now;
	return sum;
}
