/*-------------------------------------------------------------------------
 *
 * fit.c
 *	  Does a plan fit?
 *
 * Each pool of the plan meets the limits of the server, its role and its
 * database, or behind a pooler only how many clients that one takes.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "analysis/budget.h"
#include "analysis/fit.h"

typedef struct Judge
{
	const PgpsSnapshot *snapshot;
	const List *plan;
	const PgpsCommitments *commitments;
	bool		peak;			/* the pools at their largest */
	List	   *verdicts;
} Judge;

/* The verdict on a limit, added if no other pool of the plan has met it */
static PgpsVerdict *
find_verdict(Judge *judge, PgpsScope scope, const char *name, int usable,
			 PgpsCommitted committed)
{
	PgpsVerdict *v;
	ListCell   *lc;

	foreach(lc, judge->verdicts)
	{
		v = lfirst(lc);
		if (v->scope == scope && strcmp(v->name, name) == 0)
			return v;
	}
	v = palloc0(sizeof(PgpsVerdict));
	v->scope = scope;
	v->name = pstrdup(name);
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
	PgpsVerdict *v = find_verdict(judge, scope, name, usable,
								  pgps_committed(judge->commitments, scope, oid));

	/* of the server, the pools of a plan may use different shares */
	v->usable = Min(v->usable, usable);
	add_request(v, p);
}

static void
meet_limits(Judge *judge, const PgpsPlannedPool *p)
{
	PgpsLimit	limit;

	meet_limit(judge, p, PGPS_SCOPE_SERVER, InvalidOid, "",
			   pgps_server_plannable(p->roleid));
	if (OidIsValid(p->roleid) && pgps_role_limit(p->roleid, &limit) &&
		limit.conn_limit >= 0)
		meet_limit(judge, p, PGPS_SCOPE_ROLE, limit.oid, NameStr(limit.name),
				   limit.conn_limit);
	if (OidIsValid(p->dbid) && pgps_database_limit(p->dbid, &limit) &&
		limit.conn_limit != -1 &&
		!(OidIsValid(p->roleid) && superuser_arg(p->roleid)))
		meet_limit(judge, p, PGPS_SCOPE_DATABASE, limit.oid,
				   NameStr(limit.name), Max(limit.conn_limit, 0));
}

static void
meet_pooler(Judge *judge, const PgpsPlannedPool *p)
{
	PgpsCommitted committed = {0};
	const char *unknown = "no pooler of this name is known";
	int			usable = -1;
	PgpsVerdict *v;
	int			i;

	for (i = 0; p->via[0] != '\0' && i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &judge->snapshot->poolers[i];

		if (strcmp(pooler->name, p->via) != 0)
			continue;
		usable = pooler->max_client_conn;
		committed = pgps_committed_behind(judge->snapshot, judge->plan, pooler);
		unknown = "how many clients this pooler takes is not known";
		break;
	}
	v = find_verdict(judge, PGPS_SCOPE_POOLER, p->via, usable, committed);
	v->note = unknown;			/* kept only where usable is unknown */
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

/* Least remaining first; what is unlimited or unknown before all */
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
 * Judge a plan (list of PgpsPlannedPool): a PgpsVerdict for each limit that it
 * meets.  Needs a transaction.
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
