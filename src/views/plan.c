/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Will what we are about to deploy fit?  What check_plan(), assert_plan()
 *	  and check_budget() are made of, see plan.sql.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "analysis/budget.h"
#include "analysis/commitments.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_planned_limits);
PG_FUNCTION_INFO_V1(pgps_get_error);

#define VERDICT_COLUMNS(C) \
	C(scope, text, pgps_scope_name(v->scope)) \
	C(name, name, v->name) \
	C(usable, int4, v->usable) \
	C(committed, known8, known, v->committed) \
	C(requested, known8, !v->unlimited, v->requested) \
	C(remaining, known8, known && !v->unlimited, v->remaining) \
	C(fits, bool, known || v->unlimited ? v->fits : -1) \
	C(uncapped, int4, known ? v->uncapped : -1) \
	C(note, text, v->note)

/* A column of a pgpool_stats.planned_pool as text, or NULL */
static char *
read_name(HeapTupleHeader row, const char *column)
{
	bool		isnull;
	Datum		value = GetAttributeByName(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* A column of a pgpool_stats.planned_pool as number; false = null */
static bool
read_count(HeapTupleHeader row, const char *column, int64 min, int64 *count)
{
	bool		isnull;
	Datum		number = GetAttributeByName(row, column, &isnull);

	if (isnull)
		return false;
	*count = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	if (*count < min || *count > PG_INT32_MAX ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq, number,
										  NumericGetDatum(int64_to_numeric(*count)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of a planned pool must be a whole number from " INT64_FORMAT " to %d",
						column, min, PG_INT32_MAX)));
	return true;
}

/* requested = (instances + surge) x (pool_size + max_overflow) */
static void
read_request(PgpsPlannedPool *p, HeapTupleHeader row)
{
	int64		pool_size;
	int64		max_overflow = 0;
	int64		instances = 1;
	int64		surge = 0;

	if (!read_count(row, "pool_size", -1, &pool_size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a planned pool has no \"pool_size\"")));
	read_count(row, "max_overflow", -1, &max_overflow);
	read_count(row, "instances", 0, &instances);
	read_count(row, "surge", 0, &surge);
	p->unlimited = pool_size == -1 || max_overflow == -1;
	if (!p->unlimited &&
		pg_mul_s64_overflow(instances + surge, pool_size + max_overflow,
							&p->requested))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the plan asks for more connections than can be counted")));
}

/*
 * Nothing is to be learned of a pool that the caller may not see: it is as if
 * there were none.
 */
static bool
is_there(const PgpsSnapshot *snapshot, const PgpsPlannedPool *p)
{
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolKey *key = &snapshot->pools[i].data->key;

		CHECK_FOR_INTERRUPTS();
		if (strcmp(key->name, p->replaces) == 0 && key->roleid == p->roleid &&
			key->dbid == p->dbid)
			return pgps_may_see(key->roleid);
	}
	return false;
}

static PgpsPlannedPool *
read_pool(HeapTupleHeader row, const PgpsSnapshot *snapshot)
{
	PgpsPlannedPool *p = palloc0(sizeof(PgpsPlannedPool));
	char	   *role = read_name(row, "role");
	char	   *database = read_name(row, "database");

	read_request(p, row);
	p->replaces = read_name(row, "replaces");
	p->via = read_name(row, "via");
	p->roleid = role ? get_role_oid(role, true) : GetSessionUserId();
	if (!OidIsValid(p->roleid))
		ereport(NOTICE,
				(errmsg("role \"%s\" does not exist, its limit is not checked", role)));
	p->dbid = database ? get_database_oid(database, true) : MyDatabaseId;
	if (!OidIsValid(p->dbid))
		ereport(NOTICE,
				(errmsg("database \"%s\" does not exist, its limit is not checked", database)));

	/* nothing is to be learned of other roles' pools by their limits */
	p->pool = read_name(row, "pool");
	if (p->pool == NULL)
		p->pool = p->replaces;
	if (!OidIsValid(p->roleid) || !pgps_may_see(p->roleid))
		p->pool = NULL;
	if (p->replaces != NULL && !is_there(snapshot, p))
	{
		ereport(NOTICE,
				(errmsg("there is no pool \"%s\" of that role and database, nothing is replaced",
						p->replaces)));
		p->replaces = NULL;
	}
	return p;
}

/* From pgpool_stats.planned_pool[] to a list of PgpsPlannedPool */
static List *
read_plan(ArrayType *array, const PgpsSnapshot *snapshot)
{
	List	   *plan = NIL;
	Datum	   *rows;
	int			n;
	int			i;

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE,
					  &rows, NULL, &n);
	for (i = 0; i < n; i++)
		plan = lappend(plan, read_pool(DatumGetHeapTupleHeader(rows[i]), snapshot));
	return plan;
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

/* get_planned_limits(plan planned_pool[], against text): a row for each limit */
Datum
pgps_get_planned_limits(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(VERDICT_COLUMNS);
	bool		peak = read_against(PG_GETARG_TEXT_PP(1));
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	List	   *plan = read_plan(PG_GETARG_ARRAYTYPE_P(0), snapshot);
	ListCell   *lc;

	foreach(lc, pgps_judge_plan(snapshot, plan, peak))
	{
		const PgpsVerdict *v = lfirst(lc);
		bool		known = v->usable >= 0;

		PGPS_PUT_ROW(VERDICT_COLUMNS);
	}
	return (Datum) 0;
}

/* get_error(message text, detail text, sqlstate text): raises it */
Datum
pgps_get_error(PG_FUNCTION_ARGS)
{
	char	   *message = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *detail = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (strlen(code) != 5)
		elog(ERROR, "not an SQLSTATE: \"%s\"", code);
	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4])),
			 errmsg_internal("%s", message),
			 detail[0] ? errdetail_internal("%s", detail) : 0));
}
