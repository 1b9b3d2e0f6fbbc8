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

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "views/row.h"

static const char *
column_text(const char *name, Oid type)
{
	return psprintf("\"%s\" %s", name, format_type_be(type));
}

/* Raise unless the function is declared with these columns. */
static void
check_columns(Oid function, TupleDesc declared, const PgpsColumn *columns,
			  int ncolumns)
{
	int			i;

	for (i = 0; i < Max(ncolumns, declared->natts); i++)
	{
		const char *made = "none";
		const char *wanted = "none";

		if (i < ncolumns)
			made = column_text(columns[i].name, columns[i].type);
		if (i < declared->natts)
			wanted = column_text(NameStr(TupleDescAttr(declared, i)->attname),
								 TupleDescAttr(declared, i)->atttypid);
		if (strcmp(made, wanted) != 0)
			elog(ERROR, "pgpool_stats: column %d of %s(): the library makes %s, SQL declares %s",
				 i + 1, get_func_name(function), made, wanted);
	}
}

/* Start the result of a set-returning function. */
void
pgps_rows_begin(PgpsRow *row, FunctionCallInfo fcinfo,
				const PgpsColumn *columns, int ncolumns)
{
	InitMaterializedSRF(fcinfo, 0);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->n = 0;
	check_columns(fcinfo->flinfo->fn_oid, row->result->setDesc, columns,
				  ncolumns);
}

/* The row is complete. */
void
pgps_row_end(PgpsRow *row)
{
	Assert(row->n == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc,
						 row->values, row->nulls);
	row->n = 0;
}

static void
put(PgpsRow *row, Datum value)
{
	Assert(row->n < PGPS_MAX_COLUMNS);
	row->values[row->n] = value;
	row->nulls[row->n++] = false;
}

static void
put_null(PgpsRow *row)
{
	Assert(row->n < PGPS_MAX_COLUMNS);
	row->values[row->n] = (Datum) 0;
	row->nulls[row->n++] = true;
}

void
pgps_put_bool(PgpsRow *row, int value)
{
	if (value < 0)
		put_null(row);
	else
		put(row, BoolGetDatum(value != 0));
}

void
pgps_put_int4(PgpsRow *row, int64 value)
{
	if (value < 0)
		put_null(row);
	else
		put(row, Int32GetDatum(Min(value, PG_INT32_MAX)));
}

void
pgps_put_int8(PgpsRow *row, int64 value)
{
	if (value < 0)
		put_null(row);
	else
		put(row, Int64GetDatum(value));
}

void
pgps_put_float8(PgpsRow *row, double value)
{
	if (value < 0)
		put_null(row);
	else
		put(row, Float8GetDatum(value));
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
	Interval   *interval;

	if (length < 0)
	{
		put_null(row);
		return;
	}
	interval = palloc0(sizeof(Interval));
	interval->time = length;
	put(row, IntervalPGetDatum(interval));
}

/* Percent as numeric with one decimal */
void
pgps_put_pct(PgpsRow *row, double pct)
{
	Datum		number;

	if (pct < 0)
	{
		put_null(row);
		return;
	}
	number = DirectFunctionCall1(float8_numeric, Float8GetDatum(pct));
	put(row, DirectFunctionCall2(numeric_round, number, Int32GetDatum(1)));
}

void
pgps_put_text(PgpsRow *row, const char *value)
{
	if (value == NULL || value[0] == '\0')
		put_null(row);
	else
		put(row, CStringGetTextDatum(value));
}

void
pgps_put_name(PgpsRow *row, const char *value)
{
	if (value == NULL || value[0] == '\0')
		put_null(row);
	else
		put(row, DirectFunctionCall1(namein, CStringGetDatum(value)));
}

void
pgps_put_time(PgpsRow *row, TimestampTz value)
{
	if (value == 0)
		put_null(row);
	else
		put(row, TimestampTzGetDatum(value));
}

void
pgps_put_address(PgpsRow *row, const char *value)
{
	if (value[0] == '\0')
		put_null(row);
	else
		put(row, DirectFunctionCall1(inet_in, CStringGetDatum(value)));
}

void
pgps_put_jsonb(PgpsRow *row, const Jsonb *value)
{
	if (value == NULL)
		put_null(row);
	else
		put(row, JsonbPGetDatum(value));
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
	if (n == 0)
		put_null(row);
	else
		put(row, PointerGetDatum(construct_array(items, n, TEXTOID, -1, false,
												 TYPALIGN_INT)));
}

void
pgps_put_int4s(PgpsRow *row, const int *values, int n)
{
	Datum	   *items = palloc(Max(n, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < n; i++)
		items[i] = Int32GetDatum(values[i]);
	if (n == 0)
		put_null(row);
	else
		put(row, PointerGetDatum(construct_array(items, n, INT4OID,
												 sizeof(int32), true,
												 TYPALIGN_INT)));
	pfree(items);
}

void
pgps_put_figure4(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	pgps_put_int4(row, pgps_get(v, f, -1));
}

void
pgps_put_figure8(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	pgps_put_int8(row, pgps_get(v, f, -1));
}

void
pgps_put_figure_ms(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	pgps_put_ms(row, pgps_get(v, f, -1));
}

void
pgps_put_count(PgpsRow *row, const PgpsCounters *c, int counter)
{
	pgps_put_int8(row, pgps_count(c, counter, -1));
}

/* Microseconds as milliseconds */
void
pgps_put_count_ms(PgpsRow *row, const PgpsCounters *c, int time)
{
	pgps_put_ms(row, pgps_count(c, time, -1));
}

/* A time by what it is the time of; null if that is 0 */
void
pgps_put_mean_ms(PgpsRow *row, const PgpsCounters *c, int time, int count)
{
	int64		n = pgps_count(c, count, 0);

	pgps_put_float8(row, n > 0 ? pgps_count(c, time, -1) / 1000.0 / n : -1);
}

void
pgps_put_known8(PgpsRow *row, bool known, int64 value)
{
	if (known)
		put(row, Int64GetDatum(value));
	else
		put_null(row);
}
