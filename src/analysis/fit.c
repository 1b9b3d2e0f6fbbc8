/*-------------------------------------------------------------------------
 *
 * fit.c
 *	  Does a plan fit?
 *
 * The limits of the server, its role and its database, and what pool_limits
 * refuses, apply to each pool of the plan; behind a pooler only the number of
 * clients that the pooler takes.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "analysis/budget.h"
#include "analysis/commitments.h"
#include "analysis/limited.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/counters.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"

typedef struct Judge
{
	const PgpsSnapshot *snapshot;
	const List *plan;
	const PgpsCommitments *commitments;
	bool		peak;			/* the pools at their largest */
	List	   *verdicts;
} Judge;

/* The verdict on a limit; the first pool that it applies to adds it. */
static PgpsVerdict *
find_verdict(Judge *judge, const PgpsPlannedPool *p, PgpsScope scope,
			 const char *name, int usable, PgpsCommitted committed)
{
	Oid			roleid = scope == PGPS_SCOPE_POOL ? p->roleid : InvalidOid;
	Oid			dbid = scope == PGPS_SCOPE_POOL ? p->dbid : InvalidOid;
	PgpsVerdict *v;
	ListCell   *lc;

	foreach(lc, judge->verdicts)
	{
		v = lfirst(lc);
		if (v->scope == scope && v->roleid == roleid && v->dbid == dbid &&
			strcmp(v->name, name) == 0)
			return v;
	}
	v = palloc0(sizeof(PgpsVerdict));
	v->scope = scope;
	v->name = pstrdup(name);
	v->roleid = roleid;
	v->dbid = dbid;
	v->usable = usable;
	v->committed = judge->peak ? committed.peak : committed.now;
	v->uncapped = committed.uncapped;
	judge->verdicts = lappend(judge->verdicts, v);
	return v;
}

static void
add_request(PgpsVerdict *verdict, const PgpsPlannedPool *p)
{
	verdict->unlimited |= p->unlimited;
	verdict->requested = pgps_add_saturated(verdict->requested, p->requested);
}

static void
meet_limit(Judge *judge, const PgpsPlannedPool *p, PgpsScope scope, Oid oid,
		   const char *name, int usable)
{
	PgpsVerdict *v = find_verdict(judge, p, scope, name, usable,
								  pgps_committed(judge->commitments, scope, oid));

	/* pools of one plan may be allowed different numbers of the slots */
	v->usable = Min(v->usable, usable);
	add_request(v, p);
}

/* What the pool has already, unless the plan replaces it */
static PgpsCommitted
committed_by_pool(const Judge *judge, const PgpsPlannedPool *p)
{
	PgpsCommitted committed = {0};
	int			i;

	for (i = 0; i < judge->snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &judge->snapshot->pools[i];
		const PgpsPoolKey *key = &pool->data->key;

		CHECK_FOR_INTERRUPTS();
		if (key->roleid != p->roleid || key->dbid != p->dbid ||
			strcmp(key->name, p->pool) != 0 ||
			pgps_is_replaced(judge->plan, key))
			continue;
		committed.now = pool->committed + pool->unlabelled;
		committed.peak = pool->peak_committed + pool->unlabelled;
		committed.uncapped = pool->uncapped;
	}
	return committed;
}

static void
meet_pool_limit(Judge *judge, const PgpsPlannedPool *p)
{
	const char *role = GetUserNameFromId(p->roleid, true);
	const char *database = get_database_name(p->dbid);
	const PgpsPoolLimit *limit = NULL;

	if (role != NULL && database != NULL)
		limit = pgps_refusing_limit(p->pool, p->roleid, role, database);
	if (limit != NULL)
		add_request(find_verdict(judge, p, PGPS_SCOPE_POOL, p->pool, limit->max,
								 committed_by_pool(judge, p)), p);
}

static void
meet_limits(Judge *judge, const PgpsPlannedPool *p)
{
	PgpsLimit	limit;

	meet_limit(judge, p, PGPS_SCOPE_SERVER, InvalidOid, "",
			   pgps_server_plannable(p->roleid));
	if (OidIsValid(p->roleid) && pgps_own_limit(PGPS_SCOPE_ROLE, p->roleid, &limit) &&
		limit.conn_limit >= 0)
		meet_limit(judge, p, PGPS_SCOPE_ROLE, limit.oid, NameStr(limit.name),
				   limit.conn_limit);
	if (OidIsValid(p->dbid) && pgps_own_limit(PGPS_SCOPE_DATABASE, p->dbid, &limit) &&
		limit.conn_limit != -1 &&
		!(OidIsValid(p->roleid) && superuser_arg(p->roleid)))
		meet_limit(judge, p, PGPS_SCOPE_DATABASE, limit.oid,
				   NameStr(limit.name), Max(limit.conn_limit, 0));
	if (pgps_pool_limits != NULL && p->pool != NULL && OidIsValid(p->roleid) &&
		OidIsValid(p->dbid))
		meet_pool_limit(judge, p);
}

static void
meet_pooler(Judge *judge, const PgpsPlannedPool *p)
{
	PgpsCommitted committed = {0};
	const char *unknown = "no pooler of this name is known";
	int			usable = -1;
	PgpsVerdict *v;
	int			i;

	/* an entry of the setting may be several */
	for (i = 0; p->via[0] != '\0' && i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &judge->snapshot->poolers[i];
		PgpsCommitted more;

		if (strcmp(pooler->name, p->via) != 0 &&
			strcmp(pooler->listed, p->via) != 0)
			continue;
		unknown = "how many clients this pooler takes is not known";
		if (pooler->max_client_conn < 0)
		{
			usable = -1;
			break;
		}
		usable = Max(usable, 0) + pooler->max_client_conn;
		more = pgps_committed_behind(judge->snapshot, judge->plan, pooler);
		committed.now += more.now;
		committed.uncapped += more.uncapped;
		committed.peak += more.peak;
	}
	v = find_verdict(judge, p, PGPS_SCOPE_POOLER, p->via, usable, committed);
	v->note = unknown;			/* kept only if usable is unknown */
	add_request(v, p);
}

/* All pools of the plan have been added: what remains, and what to say of it */
static void
conclude(PgpsVerdict *v)
{
	StringInfoData note;

	initStringInfo(&note);
	if (v->unlimited)
		appendStringInfoString(&note, "; an unlimited pool fits nowhere");
	if (v->usable < 0)
		appendStringInfo(&note, "; %s", v->note);
	else
	{
		if (pg_sub_s64_overflow(v->usable - v->committed, v->requested,
								&v->remaining))
			v->remaining = PG_INT64_MIN;
		v->fits = !v->unlimited && v->remaining >= 0;
		if (v->uncapped == 1)
			appendStringInfoString(&note, "; 1 instance without a known maximum counts for what it holds");
		else if (v->uncapped > 1)
			appendStringInfo(&note, "; %d instances without a known maximum count for what they hold",
							 v->uncapped);
	}
	v->note = note.len > 0 ? note.data + strlen("; ") : NULL;
}

/* Least remaining first; before all, what is unlimited or unknown */
static int
compare_verdicts(const ListCell *a, const ListCell *b)
{
	const PgpsVerdict *x = lfirst(a);
	const PgpsVerdict *y = lfirst(b);
	bool		x_open = x->unlimited || x->usable < 0;
	bool		y_open = y->unlimited || y->usable < 0;

	if (x_open != y_open)
		return x_open ? -1 : 1;
	if (!x_open && x->remaining != y->remaining)
		return x->remaining < y->remaining ? -1 : 1;
	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	return strcmp(x->name, y->name);
}

/*
 * Judge a plan (list of PgpsPlannedPool): a PgpsVerdict for each limit that
 * applies to it.  Needs a transaction.
 */
List *
pgps_judge_plan(const PgpsSnapshot *snapshot, const List *plan, bool peak)
{
	Judge		judge = {0};
	ListCell   *lc;

	judge.snapshot = snapshot;
	judge.plan = plan;
	judge.commitments = pgps_commitments(snapshot, plan);
	judge.peak = peak;
	foreach(lc, plan)
	{
		const PgpsPlannedPool *p = lfirst(lc);

		if (p->via != NULL)
			meet_pooler(&judge, p);
		else
			meet_limits(&judge, p);
	}
	foreach(lc, judge.verdicts)
		conclude(lfirst(lc));
	list_sort(judge.verdicts, compare_verdicts);
	return judge.verdicts;
}
