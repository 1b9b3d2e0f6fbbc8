/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Building the rows of a view from the table of its columns.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_attribute.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "views/row.h"
#include "views/visible.h"

static const char *
column_text(const char *name, Oid type)
{
	return psprintf("\"%s\" %s", name, format_type_be(type));
}

/* Raise unless the function is declared with these columns. */
static void
check_columns(Oid function, TupleDesc declared, const PgpsColumn *columns)
{
	int			ncolumns = 0;
	int			i;

	while (columns[ncolumns].name != NULL)
		ncolumns++;
	for (i = 0; i < Max(ncolumns, declared->natts); i++)
	{
		const PgpsColumn *made = i < ncolumns ? &columns[i] : NULL;
		Form_pg_attribute wanted = i < declared->natts ?
			TupleDescAttr(declared, i) : NULL;

		if (made != NULL && wanted != NULL && made->type == wanted->atttypid &&
			strcmp(made->name, NameStr(wanted->attname)) == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("pgpool_stats: column %d of %s(): the library makes %s, SQL declares %s",
						i + 1, get_func_name(function),
						made ? column_text(made->name, made->type) : "none",
						wanted ? column_text(NameStr(wanted->attname), wanted->atttypid) : "none"),
				 errhint("After an upgrade, run ALTER EXTENSION pgpool_stats UPDATE in each database that has it.")));
	}
}

/*
 * Start the result of a set-returning function; the last column has no name.
 * A statement that calls it again, as LATERAL does, has its columns checked.
 */
PgpsRow *
pgps_rows_begin(FunctionCallInfo fcinfo, const PgpsColumn *columns)
{
	PgpsRow    *row = palloc(sizeof(PgpsRow));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		again = fcinfo->flinfo->fn_extra != NULL;

	InitMaterializedSRF(fcinfo, again && result->expectedDesc != NULL ?
						MAT_SRF_USE_EXPECTED_DESC : 0);
	row->result = result;
	row->context = AllocSetContextCreate(CurrentMemoryContext,
										 "pgpool_stats row",
										 ALLOCSET_SMALL_SIZES);
	row->n = 0;
	if (!again)
	{
		check_columns(fcinfo->flinfo->fn_oid, result->setDesc, columns);
		fcinfo->flinfo->fn_extra = fcinfo->flinfo;
	}
	return row;
}

/* The row is complete. */
void
pgps_row_end(PgpsRow *row)
{
	CHECK_FOR_INTERRUPTS();
	Assert(row->n == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc,
						 row->values, row->nulls);
	MemoryContextReset(row->context);
	row->n = 0;
}

static void
put(PgpsRow *row, bool known, Datum value)
{
	Assert(row->n < PGPS_MAX_COLUMNS);
	row->values[row->n] = value;
	row->nulls[row->n++] = !known;
}

void
pgps_put_bool(PgpsRow *row, int value)
{
	put(row, value >= 0, BoolGetDatum(value != 0));
}

void
pgps_put_int4(PgpsRow *row, int64 value)
{
	put(row, value >= 0, Int32GetDatum(Min(value, PG_INT32_MAX)));
}

void
pgps_put_int8(PgpsRow *row, int64 value)
{
	put(row, value >= 0, Int64GetDatum(value));
}

void
pgps_put_known8(PgpsRow *row, bool known, int64 value)
{
	put(row, known, Int64GetDatum(value));
}

void
pgps_put_float8(PgpsRow *row, double value)
{
	put(row, value >= 0, Float8GetDatum(value));
}

/* Microseconds as milliseconds */
void
pgps_put_ms(PgpsRow *row, double time)
{
	pgps_put_float8(row, time / 1000.0);
}

/* Microseconds as interval */
void
pgps_put_interval(PgpsRow *row, int64 length)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = length;
	put(row, length >= 0, IntervalPGetDatum(interval));
}

/* Percent as numeric with one decimal */
void
pgps_put_pct(PgpsRow *row, double pct)
{
	Datum		number = DirectFunctionCall1(float8_numeric, Float8GetDatum(pct));

	put(row, pct >= 0,
		DirectFunctionCall2(numeric_round, number, Int32GetDatum(1)));
}

void
pgps_put_text(PgpsRow *row, const char *value)
{
	bool		known = value != NULL && value[0] != '\0';

	put(row, known, known ? CStringGetTextDatum(pgps_readable(value)) : (Datum) 0);
}

void
pgps_put_made_text(PgpsRow *row, Datum value)
{
	put(row, true, value);
}

void
pgps_put_name(PgpsRow *row, const char *value)
{
	bool		known = value != NULL && value[0] != '\0';

	put(row, known, known ?
		DirectFunctionCall1(namein, CStringGetDatum(pgps_readable(value))) : (Datum) 0);
}

void
pgps_put_time(PgpsRow *row, TimestampTz value)
{
	put(row, value != 0, TimestampTzGetDatum(value));
}

void
pgps_put_address(PgpsRow *row, const char *value)
{
	bool		known = value[0] != '\0';

	put(row, known, known ?
		DirectFunctionCall1(inet_in, CStringGetDatum(value)) : (Datum) 0);
}

void
pgps_put_jsonb(PgpsRow *row, const Jsonb *value)
{
	put(row, value != NULL, JsonbPGetDatum(value));
}

/* text[] from texts that are each ended by NUL */
void
pgps_put_texts(PgpsRow *row, const char *packed, Size size)
{
	Datum		items[64];
	int			n = 0;
	const char *p;

	for (p = packed; p < packed + size && *p != '\0' && n < lengthof(items);
		 p += strlen(p) + 1)
		items[n++] = CStringGetTextDatum(p);
	put(row, n > 0, PointerGetDatum(construct_array(items, n, TEXTOID, -1, false,
													TYPALIGN_INT)));
}

void
pgps_put_int4s(PgpsRow *row, const int *values, int n)
{
	Datum	   *items = palloc(Max(n, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < n; i++)
		items[i] = Int32GetDatum(values[i]);
	put(row, n > 0, PointerGetDatum(construct_array(items, n, INT4OID,
													sizeof(int32), true,
													TYPALIGN_INT)));
	pfree(items);
}

/*
 * A time by what it is the time of; null if that is 0.  One division, which all
 * machines round alike.
 */
void
pgps_put_mean_ms(PgpsRow *row, const PgpsCounters *c, int time, int count)
{
	int64		n = pgps_count(c, count, 0);

	pgps_put_float8(row, n > 0 ? pgps_count(c, time, -1) / (n * 1000.0) : -1);
}
