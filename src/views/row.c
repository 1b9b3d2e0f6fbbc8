/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Building the rows of a view, column after column.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "views/row.h"

/* Start the result of a set-returning function. */
void
pgps_rows_begin(PgpsRow *row, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->n = 0;
}

/* The row is complete. */
void
pgps_row_end(PgpsRow *row)
{
	if (row->n != row->result->setDesc->natts)
		elog(ERROR, "pgpool_stats: %d columns made, %d declared",
			 row->n, row->result->setDesc->natts);
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

void
pgps_put_null(PgpsRow *row)
{
	Assert(row->n < PGPS_MAX_COLUMNS);
	row->values[row->n] = (Datum) 0;
	row->nulls[row->n++] = true;
}

void
pgps_put_nulls(PgpsRow *row, int n)
{
	while (n-- > 0)
		pgps_put_null(row);
}

void
pgps_put_bool(PgpsRow *row, bool value)
{
	put(row, BoolGetDatum(value));
}

void
pgps_put_int4(PgpsRow *row, int32 value)
{
	put(row, Int32GetDatum(value));
}

void
pgps_put_int8(PgpsRow *row, int64 value)
{
	put(row, Int64GetDatum(value));
}

void
pgps_put_float8(PgpsRow *row, double value)
{
	put(row, Float8GetDatum(value));
}

/* Percent as numeric with one decimal; negative = unknown */
void
pgps_put_pct(PgpsRow *row, double pct)
{
	Datum		number;

	if (pct < 0)
	{
		pgps_put_null(row);
		return;
	}
	number = DirectFunctionCall1(float8_numeric, Float8GetDatum(pct));
	put(row, DirectFunctionCall2(numeric_round, number, Int32GetDatum(1)));
}

/* NULL or empty = null */
void
pgps_put_text(PgpsRow *row, const char *value)
{
	if (value == NULL || value[0] == '\0')
		pgps_put_null(row);
	else
		put(row, CStringGetTextDatum(value));
}

void
pgps_put_name(PgpsRow *row, const char *value)
{
	if (value == NULL || value[0] == '\0')
		pgps_put_null(row);
	else
		put(row, DirectFunctionCall1(namein, CStringGetDatum(value)));
}

/* 0 = null */
void
pgps_put_time(PgpsRow *row, TimestampTz value)
{
	if (value == 0)
		pgps_put_null(row);
	else
		put(row, TimestampTzGetDatum(value));
}

/* Negative = unknown = null */
void
pgps_put_known4(PgpsRow *row, int64 value)
{
	if (value >= 0)
		pgps_put_int4(row, value);
	else
		pgps_put_null(row);
}

void
pgps_put_known8(PgpsRow *row, int64 value)
{
	if (value >= 0)
		pgps_put_int8(row, value);
	else
		pgps_put_null(row);
}

void
pgps_put_known_float8(PgpsRow *row, double value)
{
	if (value >= 0)
		pgps_put_float8(row, value);
	else
		pgps_put_null(row);
}

/* Microseconds as milliseconds */
void
pgps_put_known_ms(PgpsRow *row, int64 time)
{
	pgps_put_known_float8(row, time < 0 ? -1 : time / 1000.0);
}

/* Microseconds as interval */
void
pgps_put_interval(PgpsRow *row, int64 length)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = length;
	put(row, IntervalPGetDatum(interval));
}

void
pgps_put_address(PgpsRow *row, const char *value)
{
	if (value[0] == '\0')
		pgps_put_null(row);
	else
		put(row, DirectFunctionCall1(inet_in, CStringGetDatum(value)));
}

/* text[] from texts that are each ended by NUL; none = null */
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
		pgps_put_null(row);
	else
		put(row, PointerGetDatum(construct_array(items, n, TEXTOID, -1, false,
												 TYPALIGN_INT)));
}

/* int[]; none = null */
void
pgps_put_int4s(PgpsRow *row, const int *values, int n)
{
	Datum	   *items = palloc(Max(n, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < n; i++)
		items[i] = Int32GetDatum(values[i]);
	if (n == 0)
		pgps_put_null(row);
	else
		put(row, PointerGetDatum(construct_array(items, n, INT4OID,
												 sizeof(int32), true,
												 TYPALIGN_INT)));
	pfree(items);
}

void
pgps_put_figure4(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
		pgps_put_int4(row, Min(v->value[f], PG_INT32_MAX));
	else
		pgps_put_null(row);
}

void
pgps_put_figure8(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
		pgps_put_int8(row, v->value[f]);
	else
		pgps_put_null(row);
}

/* Microseconds as milliseconds */
void
pgps_put_figure_ms(PgpsRow *row, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
		pgps_put_float8(row, v->value[f] / 1000.0);
	else
		pgps_put_null(row);
}

void
pgps_put_count(PgpsRow *row, const PgpsCounters *c, int counter)
{
	if (pgps_is_counted(c, counter))
		pgps_put_int8(row, pgps_count(c, counter, 0));
	else
		pgps_put_null(row);
}

/* Microseconds as milliseconds */
void
pgps_put_count_ms(PgpsRow *row, const PgpsCounters *c, int counter)
{
	if (pgps_is_counted(c, counter))
		pgps_put_float8(row, pgps_count(c, counter, 0) / 1000.0);
	else
		pgps_put_null(row);
}

/* A time by a count, in milliseconds */
void
pgps_put_mean_ms(PgpsRow *row, const PgpsCounters *c, int time, int count)
{
	if (pgps_is_counted(c, time) && pgps_count(c, count, 0) > 0)
		pgps_put_float8(row, pgps_count(c, time, 0) / 1000.0 /
						pgps_count(c, count, 0));
	else
		pgps_put_null(row);
}

/* Add a sentence to some notes. */
void
pgps_note(StringInfo notes, const char *text)
{
	appendStringInfo(notes, "%s%s", notes->len > 0 ? "; " : "", text);
}
