/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Will what we are about to deploy fit?  check_plan() and assert_plan().
 *
 * A plan is an array of objects, one for each pool.  check_budget() is
 * check_plan() for one pool (install script).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "common/int.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "analysis/budget.h"
#include "base/compat.h"
#include "base/shmem.h"

PG_FUNCTION_INFO_V1(pgps_check_plan);
PG_FUNCTION_INFO_V1(pgps_assert_plan);

/* one pool of the plan */
typedef struct PlannedPool
{
	char	   *pool;
	int64		pool_size;
	int64		max_overflow;
	int64		instances;
	int64		surge;
	char	   *replaces;
	Oid			roleid;			/* InvalidOid = no such role (yet) */
	Oid			dbid;
	char	   *via;
	bool		unlimited;
	int64		requested;
} PlannedPool;

/* one limit that the plan meets */
typedef struct Verdict
{
	PgpsScope	scope;
	char	   *name;
	int			usable;			/* -1 = unknown */
	bool		known;			/* is there such a limit at all? */
	int64		committed;
	int64		requested;
	bool		unlimited;
	int64		remaining;
	bool		fits;
	int			uncapped;
	char	   *note;
} Verdict;

/*-------------------------------------------------------------------------
 * Reading the plan
 *-------------------------------------------------------------------------
 */

static char *
read_name(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of a planned pool must be text", key)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int64
read_count(const char *key, const JsonbValue *value, int64 min)
{
	int64		count = 0;
	bool		whole = false;

	if (value->type == jbvNumeric)
	{
		Datum		number = NumericGetDatum(value->val.numeric);

		count = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
		whole = DatumGetBool(DirectFunctionCall2(numeric_eq, number,
												 NumericGetDatum(int64_to_numeric(count))));
	}
	if (!whole || count < min || count > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of a planned pool must be a whole number from " INT64_FORMAT " to %d",
						key, min, PG_INT32_MAX)));
	return count;
}

/* requested = (instances + surge) x (pool_size + max_overflow) */
static void
work_out_request(PlannedPool *p)
{
	p->unlimited = p->pool_size == -1 || p->max_overflow == -1;
	if (!p->unlimited &&
		pg_mul_s64_overflow(p->instances + p->surge,
							p->pool_size + p->max_overflow, &p->requested))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the plan asks for more connections than can be counted")));
}

static PlannedPool *
read_pool(JsonbContainer *container)
{
	PlannedPool *p = palloc0(sizeof(PlannedPool));
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *key = NULL;
	char	   *role = NULL;
	char	   *database = NULL;
	bool		sized = false;
	bool		replaces_itself = false;

	p->instances = 1;
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(v.val.string.val, v.val.string.len);
		if (token != WJB_VALUE || v.type == jbvNull)
			continue;

		if (strcmp(key, "pool") == 0)
			p->pool = read_name(key, &v);
		else if (strcmp(key, "pool_size") == 0)
		{
			p->pool_size = read_count(key, &v, -1);
			sized = true;
		}
		else if (strcmp(key, "max_overflow") == 0)
			p->max_overflow = read_count(key, &v, -1);
		else if (strcmp(key, "instances") == 0)
			p->instances = read_count(key, &v, 0);
		else if (strcmp(key, "surge") == 0)
			p->surge = read_count(key, &v, 0);
		else if (strcmp(key, "replaces") == 0 && v.type == jbvBool)
			replaces_itself = v.val.boolean;
		else if (strcmp(key, "replaces") == 0)
			p->replaces = read_name(key, &v);
		else if (strcmp(key, "role") == 0)
			role = read_name(key, &v);
		else if (strcmp(key, "database") == 0)
			database = read_name(key, &v);
		else if (strcmp(key, "via") == 0)
			p->via = read_name(key, &v);
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key \"%s\" in a planned pool", key),
					 errdetail("Expected pool, pool_size, max_overflow, instances, surge, replaces, role, database, via.")));
	}
	if (!sized)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a planned pool has no \"pool_size\"")));
	if (replaces_itself)
	{
		if (p->pool == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a planned pool that replaces itself must have its name in \"pool\"")));
		p->replaces = p->pool;
	}

	p->roleid = role ? get_role_oid(role, true) : GetSessionUserId();
	if (!OidIsValid(p->roleid))
		ereport(NOTICE,
				(errmsg("role \"%s\" does not exist, its limit is not checked", role)));
	p->dbid = database ? get_database_oid(database, true) : MyDatabaseId;
	if (!OidIsValid(p->dbid))
		ereport(NOTICE,
				(errmsg("database \"%s\" does not exist, its limit is not checked", database)));
	work_out_request(p);
	return p;
}

/* Returns a list of PlannedPool */
static List *
read_plan(Jsonb *plan)
{
	List	   *result = NIL;
	uint32		i;

	if (JB_ROOT_IS_OBJECT(plan))
		return list_make1(read_pool(&plan->root));

	for (i = 0; JB_ROOT_IS_ARRAY(plan) && !JB_ROOT_IS_SCALAR(plan) &&
		 i < JB_ROOT_COUNT(plan); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&plan->root, i);

		if (value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
		{
			result = NIL;
			break;
		}
		result = lappend(result, read_pool(value->val.binary.data));
	}
	if (result == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a plan must be an array of objects, one for each pool"),
				 errdetail("Such as [{\"pool\": \"orders\", \"pool_size\": 5, \"max_overflow\": 10, \"instances\": 4}].")));
	return result;
}

/* "peak" (true) or "now" */
static bool
read_against(text *against)
{
	char	   *name = text_to_cstring(against);

	if (strcmp(name, "peak") != 0 && strcmp(name, "now") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value \"%s\" for \"against\"", name),
				 errdetail("Expected \"peak\" or \"now\".")));
	return strcmp(name, "peak") == 0;
}

/*-------------------------------------------------------------------------
 * Judging it
 *-------------------------------------------------------------------------
 */

/* Does a limit apply to a planned pool? */
static bool
applies(const Verdict *verdict, const PlannedPool *p, Oid oid)
{
	switch (verdict->scope)
	{
		case PGPS_SCOPE_SERVER:
			return p->via == NULL;
		case PGPS_SCOPE_ROLE:
			return p->via == NULL && p->roleid == oid;
		case PGPS_SCOPE_DATABASE:
			return p->via == NULL && p->dbid == oid &&
				!(OidIsValid(p->roleid) && superuser_arg(p->roleid));
		case PGPS_SCOPE_POOLER:
			return p->via != NULL && strcmp(p->via, verdict->name) == 0;
		case PGPS_SCOPE_POOL:
			break;				/* no limit */
	}
	return false;
}

/* Why is a pooler's limit not known? */
static const char *
why_unknown(const Verdict *verdict)
{
	return verdict->known ? "how many clients this pooler takes is not known" :
		"no pooler of this name is known";
}

static void
judge(Verdict *verdict, Oid oid, List *plan, PgpsCommitted committed,
	  bool peak)
{
	StringInfoData note;
	ListCell   *lc;

	initStringInfo(&note);
	foreach(lc, plan)
	{
		const PlannedPool *p = lfirst(lc);

		if (!applies(verdict, p, oid))
			continue;
		verdict->unlimited |= p->unlimited;
		verdict->requested = pgps_add_saturated(verdict->requested, p->requested);
	}
	if (verdict->unlimited)
		appendStringInfoString(&note, "an unlimited pool fits nowhere");

	if (verdict->usable < 0)
		appendStringInfo(&note, "%s%s", note.len > 0 ? "; " : "",
						 why_unknown(verdict));
	else
	{
		verdict->committed = peak ? committed.peak : committed.now;
		verdict->remaining = verdict->usable - verdict->committed;
		if (pg_sub_s64_overflow(verdict->remaining, verdict->requested,
								&verdict->remaining))
			verdict->remaining = PG_INT64_MIN;
		verdict->fits = !verdict->unlimited && verdict->remaining >= 0;
		verdict->uncapped = committed.uncapped;
		if (committed.uncapped > 0)
			appendStringInfo(&note, "%s%d instance%s without a known maximum count%s for what %s",
							 note.len > 0 ? "; " : "", committed.uncapped,
							 committed.uncapped == 1 ? "" : "s",
							 committed.uncapped == 1 ? "s" : "",
							 committed.uncapped == 1 ? "it holds" : "they hold");
	}
	verdict->note = note.len > 0 ? note.data : NULL;
}

/* Least remaining first; what is unlimited or unknown before all */
static int
compare_verdicts(const ListCell *a, const ListCell *b)
{
	const Verdict *x = lfirst(a);
	const Verdict *y = lfirst(b);
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

static bool
has_verdict(List *verdicts, PgpsScope scope, const char *name)
{
	ListCell   *lc;

	foreach(lc, verdicts)
	{
		const Verdict *v = lfirst(lc);

		if (v->scope == scope && strcmp(v->name, name) == 0)
			return true;
	}
	return false;
}

/* Meet one limit, unless the plan has met it already. */
static List *
meet(List *verdicts, PgpsScope scope, Oid oid, const char *name,
	 bool known, int usable, List *plan, PgpsCommitted committed, bool peak)
{
	Verdict    *v;

	if (has_verdict(verdicts, scope, name))
		return verdicts;
	v = palloc0(sizeof(Verdict));
	v->scope = scope;
	v->name = pstrdup(name);
	v->usable = usable;
	v->known = known;
	judge(v, oid, plan, committed, peak);
	return lappend(verdicts, v);
}

/* Meet the limit of a pooler: how many clients it takes */
static List *
meet_pooler(List *verdicts, const char *name, List *plan,
			const PgpsSnapshot *snapshot, List *replaced, bool peak)
{
	PgpsCommitted committed = {0};
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &snapshot->poolers[i];

		if (name[0] != '\0' && strcmp(pooler->name, name) == 0)
			return meet(verdicts, PGPS_SCOPE_POOLER, InvalidOid, name, true,
						pooler->max_client_conn, plan,
						pgps_committed_behind(snapshot, replaced, pooler),
						peak);
	}
	return meet(verdicts, PGPS_SCOPE_POOLER, InvalidOid, name, false, -1,
				plan, committed, peak);
}

/* Returns a list of Verdict: a row for each limit that applies. */
static List *
check(Jsonb *json, bool peak)
{
	List	   *plan = read_plan(json);
	List	   *replaced = NIL;
	List	   *verdicts = NIL;
	PgpsSnapshot *snapshot;
	PgpsCommitments *commitments;
	int			usable = MaxConnections;
	ListCell   *lc;

	foreach(lc, plan)
	{
		const PlannedPool *p = lfirst(lc);

		if (p->replaces)
		{
			PgpsReplaced *r = palloc(sizeof(PgpsReplaced));

			r->pool = p->replaces;
			r->roleid = p->roleid;
			r->dbid = p->dbid;
			replaced = lappend(replaced, r);
		}
		if (p->via == NULL)
			usable = Min(usable, pgps_server_plannable(p->roleid));
	}
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	commitments = pgps_commitments(snapshot, replaced, true);

	foreach(lc, plan)
	{
		const PlannedPool *p = lfirst(lc);
		PgpsLimit	limit;

		if (p->via != NULL)
		{
			verdicts = meet_pooler(verdicts, p->via, plan, snapshot, replaced,
								   peak);
			continue;
		}
		verdicts = meet(verdicts, PGPS_SCOPE_SERVER, InvalidOid, "", true,
						usable, plan,
						pgps_committed(commitments, PGPS_SCOPE_SERVER,
									   InvalidOid), peak);
		if (OidIsValid(p->roleid) && pgps_role_limit(p->roleid, &limit) &&
			limit.conn_limit >= 0)
			verdicts = meet(verdicts, PGPS_SCOPE_ROLE, limit.oid,
							NameStr(limit.name), true, limit.conn_limit, plan,
							pgps_committed(commitments, PGPS_SCOPE_ROLE,
										   limit.oid), peak);
		if (OidIsValid(p->dbid) && pgps_database_limit(p->dbid, &limit) &&
			limit.conn_limit != -1 &&
			!(OidIsValid(p->roleid) && superuser_arg(p->roleid)))
			verdicts = meet(verdicts, PGPS_SCOPE_DATABASE, limit.oid,
							NameStr(limit.name), true,
							Max(limit.conn_limit, 0), plan,
							pgps_committed(commitments, PGPS_SCOPE_DATABASE,
										   limit.oid), peak);
	}
	list_sort(verdicts, compare_verdicts);
	return verdicts;
}

/* check_plan(plan jsonb, against text) */
Datum
pgps_check_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *verdicts;
	ListCell   *lc;

	pgps_ensure_loaded();
	verdicts = check(PG_GETARG_JSONB_P(0), read_against(PG_GETARG_TEXT_PP(1)));
	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, verdicts)
	{
		const Verdict *v = lfirst(lc);
		bool		known = v->usable >= 0;
		NameData	name;
		Datum		values[9];
		bool		nulls[9] = {0};

		namestrcpy(&name, v->name);
		values[0] = CStringGetTextDatum(pgps_scope_name(v->scope));
		values[1] = NameGetDatum(&name);
		nulls[1] = v->scope == PGPS_SCOPE_SERVER;
		values[2] = Int32GetDatum(v->usable);
		nulls[2] = !known;
		values[3] = Int64GetDatum(v->committed);
		nulls[3] = !known;
		values[4] = Int64GetDatum(v->requested);
		nulls[4] = v->unlimited;
		values[5] = Int64GetDatum(v->remaining);
		nulls[5] = !known || v->unlimited;
		values[6] = BoolGetDatum(v->fits);
		nulls[6] = !known && !v->unlimited;
		values[7] = Int32GetDatum(v->uncapped);
		nulls[7] = !known;
		if (v->note)
			values[8] = CStringGetTextDatum(v->note);
		nulls[8] = v->note == NULL;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * assert_plan(plan jsonb, against text): "fits", or an error with a line for
 * each limit that would be exceeded, so that a pipeline stops.
 */
Datum
pgps_assert_plan(PG_FUNCTION_ARGS)
{
	StringInfoData detail;
	int			broken = 0;
	ListCell   *lc;

	pgps_ensure_loaded();
	initStringInfo(&detail);
	foreach(lc, check(PG_GETARG_JSONB_P(0), read_against(PG_GETARG_TEXT_PP(1))))
	{
		const Verdict *v = lfirst(lc);

		if (v->fits)
			continue;
		appendStringInfo(&detail, "%s%s%s%s: ", broken++ > 0 ? "\n" : "",
						 pgps_scope_name(v->scope),
						 v->name[0] ? " " : "", v->name);
		if (v->usable < 0)
			appendStringInfoString(&detail, why_unknown(v));
		else if (v->unlimited)
			appendStringInfo(&detail, "usable %d, committed " INT64_FORMAT ", this plan unlimited",
							 v->usable, v->committed);
		else
			appendStringInfo(&detail, "usable %d, committed " INT64_FORMAT ", this plan " INT64_FORMAT ", remaining " INT64_FORMAT,
							 v->usable, v->committed, v->requested, v->remaining);
	}
	if (broken > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg_plural("the plan does not fit: %d limit would be exceeded",
							   "the plan does not fit: %d limits would be exceeded",
							   broken, broken),
				 errdetail_internal("%s", detail.data)));
	PG_RETURN_TEXT_P(cstring_to_text("fits"));
}
