/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Building the rows of a view, column after column.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ROW_H
#define PGPS_ROW_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"

#include "dialects/fields.h"
#include "registry/counters.h"

#define PGPS_MAX_COLUMNS 64

typedef struct PgpsRow
{
	ReturnSetInfo *result;
	int			n;				/* columns so far */
	Datum		values[PGPS_MAX_COLUMNS];
	bool		nulls[PGPS_MAX_COLUMNS];
} PgpsRow;

extern void pgps_rows_begin(PgpsRow *row, FunctionCallInfo fcinfo);
extern void pgps_row_end(PgpsRow *row);

extern void pgps_put_null(PgpsRow *row);
extern void pgps_put_nulls(PgpsRow *row, int n);
extern void pgps_put_bool(PgpsRow *row, bool value);
extern void pgps_put_int4(PgpsRow *row, int32 value);
extern void pgps_put_int8(PgpsRow *row, int64 value);
extern void pgps_put_float8(PgpsRow *row, double value);
extern void pgps_put_known4(PgpsRow *row, int64 value);
extern void pgps_put_known8(PgpsRow *row, int64 value);
extern void pgps_put_known_float8(PgpsRow *row, double value);
extern void pgps_put_known_ms(PgpsRow *row, int64 time);
extern void pgps_put_pct(PgpsRow *row, double pct);
extern void pgps_put_text(PgpsRow *row, const char *value);
extern void pgps_put_name(PgpsRow *row, const char *value);
extern void pgps_put_time(PgpsRow *row, TimestampTz value);
extern void pgps_put_interval(PgpsRow *row, int64 length);
extern void pgps_put_address(PgpsRow *row, const char *value);
extern void pgps_put_texts(PgpsRow *row, const char *packed, Size size);
extern void pgps_put_int4s(PgpsRow *row, const int *values, int n);
extern void pgps_put_figure4(PgpsRow *row, const PgpsValues *v, PgpsField f);
extern void pgps_put_figure8(PgpsRow *row, const PgpsValues *v, PgpsField f);
extern void pgps_put_figure_ms(PgpsRow *row, const PgpsValues *v, PgpsField f);
extern void pgps_put_count(PgpsRow *row, const PgpsCounters *c, int counter);
extern void pgps_put_count_ms(PgpsRow *row, const PgpsCounters *c, int counter);
extern void pgps_put_mean_ms(PgpsRow *row, const PgpsCounters *c, int time,
							 int count);

extern void pgps_note(StringInfo notes, const char *text);

#endif							/* PGPS_ROW_H */
