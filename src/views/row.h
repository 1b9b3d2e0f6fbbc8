/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Building the rows of a view from the table of its columns.
 *
 * A view has one list of its columns, in the order of its SQL declaration:
 * of each its name, the kind of its value, and the value.
 *
 *		#define LEAK_COLUMNS(C) \
 *			C(pool, text, pool->key.name) \
 *			C(at_least, int4, leak->at_least)
 *
 * From it come the table that is compared with the SQL declaration, and what
 * puts a row, where "row" is the PgpsRow:
 *
 *		PgpsRow    *row = PGPS_BEGIN_VIEW(LEAK_COLUMNS);
 *		...
 *		PGPS_PUT_ROW(LEAK_COLUMNS);
 *
 * So a new column is a line there and one in the .sql beside it.  The kind K
 * of a value is the name of its function pgps_put_K(), and PGPS_TYPE_K the
 * type of what that puts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ROW_H
#define PGPS_ROW_H

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/jsonb.h"

#include "base/shmem.h"
#include "registry/counters.h"

#define PGPS_MAX_COLUMNS 64

typedef struct PgpsColumn
{
	const char *name;
	Oid			type;
} PgpsColumn;

typedef struct PgpsRow
{
	ReturnSetInfo *result;
	MemoryContext context;		/* for what belongs to one row */
	int			n;				/* columns so far */
	Datum		values[PGPS_MAX_COLUMNS];
	bool		nulls[PGPS_MAX_COLUMNS];
} PgpsRow;

/* what a list of columns is called with */
#define PGPS_COLUMN(name, kind, ...) {#name, PGPS_TYPE_##kind},
#define PGPS_PUT(name, kind, ...) pgps_put_##kind(row, __VA_ARGS__);

/* Begin the rows; of a view that needs no shared memory, or of any other. */
#define PGPS_BEGIN_ROWS(COLUMNS) \
	pgps_rows_begin(fcinfo, (const PgpsColumn[]) {COLUMNS(PGPS_COLUMN) {NULL}})
#define PGPS_BEGIN_VIEW(COLUMNS) \
	(pgps_ensure_loaded(), PGPS_BEGIN_ROWS(COLUMNS))

#define PGPS_PUT_ROW(COLUMNS) \
	do { \
		MemoryContext caller_context = MemoryContextSwitchTo(row->context); \
\
		COLUMNS(PGPS_PUT) \
		MemoryContextSwitchTo(caller_context); \
		pgps_row_end(row); \
	} while (0)

extern PgpsRow *pgps_rows_begin(FunctionCallInfo fcinfo,
								const PgpsColumn *columns);
extern void pgps_row_end(PgpsRow *row);

/* negative = unknown = null */
#define PGPS_TYPE_bool BOOLOID
#define PGPS_TYPE_int4 INT4OID
#define PGPS_TYPE_int8 INT8OID
#define PGPS_TYPE_float8 FLOAT8OID
#define PGPS_TYPE_ms FLOAT8OID
#define PGPS_TYPE_interval INTERVALOID
#define PGPS_TYPE_pct NUMERICOID
extern void pgps_put_bool(PgpsRow *row, int value);
extern void pgps_put_int4(PgpsRow *row, int64 value);
extern void pgps_put_int8(PgpsRow *row, int64 value);
extern void pgps_put_float8(PgpsRow *row, double value);
extern void pgps_put_ms(PgpsRow *row, double time);
extern void pgps_put_interval(PgpsRow *row, int64 length);
extern void pgps_put_pct(PgpsRow *row, double pct);

/* one that may be negative */
#define PGPS_TYPE_known8 INT8OID
extern void pgps_put_known8(PgpsRow *row, bool known, int64 value);

/* one that is made already */
#define PGPS_TYPE_made_text TEXTOID
extern void pgps_put_made_text(PgpsRow *row, Datum value);

/* NULL, empty or 0 = null */
#define PGPS_TYPE_text TEXTOID
#define PGPS_TYPE_name NAMEOID
#define PGPS_TYPE_time TIMESTAMPTZOID
#define PGPS_TYPE_address INETOID
#define PGPS_TYPE_jsonb JSONBOID
#define PGPS_TYPE_texts TEXTARRAYOID
#define PGPS_TYPE_int4s INT4ARRAYOID
extern void pgps_put_text(PgpsRow *row, const char *value);
extern void pgps_put_name(PgpsRow *row, const char *value);
extern void pgps_put_time(PgpsRow *row, TimestampTz value);
extern void pgps_put_address(PgpsRow *row, const char *value);
extern void pgps_put_jsonb(PgpsRow *row, const Jsonb *value);
extern void pgps_put_texts(PgpsRow *row, const char *packed, Size size);
extern void pgps_put_int4s(PgpsRow *row, const int *values, int n);

/* a figure of a pool, null if unknown */
#define PGPS_TYPE_figure4 INT4OID
#define PGPS_TYPE_figure8 INT8OID
#define PGPS_TYPE_figure_ms FLOAT8OID
#define pgps_put_figure4(row, v, f) pgps_put_int4(row, pgps_get(v, f, -1))
#define pgps_put_figure8(row, v, f) pgps_put_int8(row, pgps_get(v, f, -1))
#define pgps_put_figure_ms(row, v, f) pgps_put_ms(row, pgps_get(v, f, -1))

/* a counter, null if unknown; times in milliseconds */
#define PGPS_TYPE_count INT8OID
#define PGPS_TYPE_count_ms FLOAT8OID
#define PGPS_TYPE_mean_ms FLOAT8OID
#define pgps_put_count(row, c, counter) pgps_put_int8(row, pgps_count(c, counter, -1))
#define pgps_put_count_ms(row, c, time) pgps_put_ms(row, pgps_count(c, time, -1))
extern void pgps_put_mean_ms(PgpsRow *row, const PgpsCounters *c, int time,
							 int count);

#endif							/* PGPS_ROW_H */
