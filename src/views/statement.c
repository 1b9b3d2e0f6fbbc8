/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  One snapshot for each statement that reads.
 *
 * The set-returning functions of one statement, which may be several views and
 * the parts of check_status(), share what the first of them sees.  It is kept
 * as long as the executor's memory of that statement, and found by it: each
 * query that a function or a DO block runs has another, so a loop that polls
 * sees what is new.  The start of the statement, or the portal, would stay the
 * same through the whole loop.
 *
 * What is kept is for no particular reader: each looks what its own role may
 * see.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/execnodes.h"

#include "views/statement.h"

/* with fewer instances, all are as cheap as those of one pool */
#define FEW_INSTANCES 1000

typedef struct Statement
{
	MemoryContext executor;		/* memory of the statement */
	PgpsSnapshot *one;			/* of a single pool, or NULL */
	int32		one_pool;		/* its number */
	PgpsSnapshot *all;			/* or NULL */
	PgpsRejections *exported;	/* or NULL */
	PgpsWhy    *why;			/* or NULL */
	PgpsPoolCopy *pools;		/* those there are; or NULL */
	int			npools;
	struct Statement *next;
	MemoryContextCallback forget;
} Statement;

/* those under way, the innermost first */
static Statement *statements = NULL;

static void
forget_statement(void *arg)
{
	Statement **link = &statements;

	while (*link != arg)
		link = &(*link)->next;
	*link = (*link)->next;
}

/* The statement that calls; also switches to its memory. */
static Statement *
enter_statement(FunctionCallInfo fcinfo, MemoryContext *caller)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext executor = result->econtext->ecxt_per_query_memory;
	Statement  *statement;

	*caller = MemoryContextSwitchTo(executor);
	for (statement = statements; statement != NULL; statement = statement->next)
	{
		if (statement->executor == executor)
			return statement;
	}
	statement = palloc0(sizeof(Statement));
	statement->executor = executor;
	statement->next = statements;
	statement->forget.func = forget_statement;
	statement->forget.arg = statement;
	MemoryContextRegisterResetCallback(executor, &statement->forget);
	return statements = statement;
}

/* If the histograms were not asked for before, they are taken now. */
static void
need_histograms(PgpsSnapshot *snapshot, PgpsHistograms histograms)
{
	if (histograms == PGPS_NO_HISTOGRAMS ||
		(snapshot->histograms & (1 << histograms)) != 0)
		return;
	pgps_add_histograms(snapshot, histograms);
}

static PgpsSnapshot *
need_all(Statement *statement, PgpsHistograms histograms)
{
	if (statement->all == NULL)
		statement->all = pgps_take_whole_snapshot(histograms, statement->one);
	else
		need_histograms(statement->all, histograms);
	return statement->all;
}

/* The snapshot of the statement that calls a set-returning function */
const PgpsSnapshot *
pgps_snapshot(FunctionCallInfo fcinfo, PgpsHistograms histograms)
{
	MemoryContext caller;
	const PgpsSnapshot *snapshot = need_all(enter_statement(fcinfo, &caller),
											histograms);

	MemoryContextSwitchTo(caller);
	return snapshot;
}

static int
compare_numbers(const void *a, const void *b)
{
	int32		x = ((const PgpsPoolCopy *) a)->index;
	int32		y = ((const PgpsPoolCopy *) b)->index;

	return (x > y) - (x < y);
}

/*
 * The pools that a statement has to do with.  With few instances all of
 * them are copied at once, so that these pools are the same as everybody's.
 */
static void
need_pools(Statement *statement, PgpsHistograms histograms)
{
	int64		instances = 0;
	int			i;

	if (statement->pools != NULL)
		return;
	if (statement->all == NULL)
	{
		statement->pools = pgps_registry_pools(&statement->npools);
		for (i = 0; i < statement->npools; i++)
			instances += statement->pools[i].data.instances;
		if (instances >= FEW_INSTANCES)
			return;
		(void) need_all(statement, histograms);
	}
	statement->npools = statement->all->npools;
	statement->pools = palloc_extended(Max(statement->npools, 1) *
									   sizeof(PgpsPoolCopy), MCXT_ALLOC_HUGE);
	for (i = 0; i < statement->npools; i++)
		statement->pools[i] = *statement->all->pools[i].copy;
	qsort(statement->pools, statement->npools, sizeof(PgpsPoolCopy),
		  compare_numbers);
}

/*
 * The pools alone, in the order of their numbers, for who will ask for some of
 * them by pgps_pool_snapshot()
 */
const PgpsPoolCopy *
pgps_pool_list(FunctionCallInfo fcinfo, PgpsHistograms histograms, int *npools)
{
	MemoryContext caller;
	Statement  *statement = enter_statement(fcinfo, &caller);

	need_pools(statement, histograms);
	*npools = statement->npools;
	MemoryContextSwitchTo(caller);
	return statement->pools;
}

/* One of them, by its number; or NULL */
static const PgpsPoolCopy *
find_pool(const Statement *statement, int32 number)
{
	PgpsPoolCopy key;

	key.index = number;
	return bsearch(&key, statement->pools, statement->npools,
				   sizeof(PgpsPoolCopy), compare_numbers);
}

/* Is one pool but a small part of all there is? */
static bool
is_small_part(const Statement *statement, const PgpsPoolCopy *pool)
{
	int64		all = 0;
	int			i;

	for (i = 0; i < statement->npools; i++)
		all += statement->pools[i].data.instances;
	return pool->data.instances < all / 4;
}

/*
 * The snapshot for who needs one of those pools, by its number.  As long as a
 * statement asks for one and the same, the instances of others are not copied.
 */
const PgpsSnapshot *
pgps_pool_snapshot(FunctionCallInfo fcinfo, PgpsHistograms histograms,
				   int32 number)
{
	MemoryContext caller;
	Statement  *statement = enter_statement(fcinfo, &caller);
	const PgpsPoolCopy *listed;
	PgpsSnapshot *snapshot;

	need_pools(statement, histograms);
	listed = find_pool(statement, number);
	if (listed != NULL && statement->all == NULL && statement->one == NULL &&
		is_small_part(statement, listed))
	{
		statement->one = pgps_take_pool_snapshot(histograms, number);
		statement->one_pool = number;
	}
	if (statement->all == NULL && statement->one != NULL &&
		statement->one_pool == number)
	{
		snapshot = statement->one;
		need_histograms(snapshot, histograms);
	}
	else
		snapshot = need_all(statement, histograms);
	MemoryContextSwitchTo(caller);
	return snapshot;
}

/*
 * One of those pools in a snapshot; NULL if it went in between, and maybe
 * another has its number
 */
const PgpsPoolState *
pgps_listed_pool(FunctionCallInfo fcinfo, const PgpsSnapshot *snapshot,
				 int32 number)
{
	MemoryContext caller;
	Statement  *statement = enter_statement(fcinfo, &caller);
	const PgpsPoolCopy *listed = find_pool(statement, number);
	const PgpsPoolState *pool = NULL;

	if (listed != NULL && number < snapshot->max_pool)
		pool = snapshot->pool_by_index[number];
	MemoryContextSwitchTo(caller);
	return pool != NULL &&
		pool->data->first_seen == listed->data.first_seen &&
		memcmp(&pool->data->key, &listed->data.key, sizeof(PgpsPoolKey)) == 0 ?
		pool : NULL;
}

/* Rejections as exporters get them */
const PgpsRejections *
pgps_exported_rejections(FunctionCallInfo fcinfo)
{
	MemoryContext caller;
	Statement  *statement = enter_statement(fcinfo, &caller);

	if (statement->exported == NULL)
	{
		statement->exported = pgps_rejections_copy();
		pgps_rejections_leave_out_base(statement->exported);
	}
	MemoryContextSwitchTo(caller);
	return statement->exported;
}

/* Which alerts say why */
const PgpsWhy *
pgps_whys(FunctionCallInfo fcinfo)
{
	MemoryContext caller;
	Statement  *statement = enter_statement(fcinfo, &caller);

	if (statement->why == NULL)
		statement->why = pgps_find_whys();
	MemoryContextSwitchTo(caller);
	return statement->why;
}
