/*-------------------------------------------------------------------------
 *
 * dialects.c
 *	  The function behind the view dialects: the parser's own table, to read.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/shmem.h"
#include "dialects/dialect.h"
#include "views/row.h"

PG_FUNCTION_INFO_V1(pgps_get_dialects);

#define DIALECT_COLUMNS(C) \
	C(dialect, text, dialect->name) \
	C(detected_by, texts, detected_by->data, detected_by->len) \
	C(key, text, key) \
	C(field, text, field) \
	C(conversion, text, conversion)

static const PgpsColumn dialect_columns[] = {DIALECT_COLUMNS(PGPS_COLUMN)};

/* columns of the views; what is worked out from it for the others */
static const char *const field_names[PGPS_NSCRATCH] = {
	[PGPS_POOL_SIZE] = "pool_size",
	[PGPS_MAX_OVERFLOW] = "max_overflow",
	[PGPS_MAX_SIZE] = "max_size",
	[PGPS_MIN_SIZE] = "min_size",
	[PGPS_UNLIMITED] = "unlimited",
	[PGPS_OPEN] = "open",
	[PGPS_CHECKED_OUT] = "checked_out",
	[PGPS_CHECKED_IN] = "checked_in",
	[PGPS_OVERFLOW] = "overflow",
	[PGPS_WAITING] = "waiting",
	[PGPS_MAX_WAIT] = "max_wait",
	[PGPS_CLIENTS] = "clients",
	[PGPS_CHECKOUTS] = "checkouts",
	[PGPS_WAITS] = "waits",
	[PGPS_TOTAL_WAIT_TIME] = "total_wait_time",
	[PGPS_TIMEOUTS] = "timeouts",
	[PGPS_ERRORS] = "errors",
	[PGPS_TOTAL_USE_TIME] = "total_use_time",
	[PGPS_XACTS] = "xacts",
	[PGPS_QUERIES] = "queries",
	[PGPS_CREATES] = "checked_out",
	[PGPS_CREATE_ERRORS] = "errors",
	[PGPS_ACQUIRE_TIME] = "total_wait_time",
	[PGPS_CHILD] = "pool_size",
	[PGPS_SLOT] = "open",
	[PGPS_BACKEND] = "open",
	[PGPS_CONNECTED] = "checked_out"
};

static const char *const unit_names[] = {
	[PGPS_UNIT_COUNT] = "count",
	[PGPS_UNIT_BOOL] = "boolean",
	[PGPS_UNIT_NS] = "ns",
	[PGPS_UNIT_US] = "us",
	[PGPS_UNIT_MS] = "ms",
	[PGPS_UNIT_S] = "s"
};

/* what is special about a key */
static const struct
{
	int			flag;
	const char *what;
}			flag_names[] = {
	{PGPS_ZERO_UNLIMITED, "0 = unlimited"},
	{PGPS_MINUS_UNLIMITED, "-1 = unlimited"},
	{PGPS_NEGATIVE_UNLIMITED, "negative = unlimited"},
	{PGPS_MAXINT_UNLIMITED, "2147483647 = unlimited"},
	{PGPS_NULL_UNLIMITED, "null = unlimited"},
	{PGPS_CLAMP_NEGATIVE, "negative = 0"},
	{PGPS_ADD, "added"},
	{PGPS_SUBTRACT, "subtracted"},
	{PGPS_WEAK, "unless another key reports it"}
};

static const char *
scratch_note(int field)
{
	switch (field)
	{
		case PGPS_CREATES:
			return "no more than these";
		case PGPS_ACQUIRE_TIME:
			return "of all checkouts";
		case PGPS_CHILD:
		case PGPS_SLOT:
			return "distinct";
		case PGPS_BACKEND:
			return "where not 0";
		case PGPS_CONNECTED:
			return "processes where not 0";
		default:
			return NULL;
	}
}

/* How a value is converted */
static void
describe(StringInfo text, const PgpsDialectKey *key)
{
	const char *note = scratch_note(key->field);
	int			i;

	resetStringInfo(text);
	appendStringInfoString(text, unit_names[key->unit]);
	if (note != NULL)
		appendStringInfo(text, ", %s", note);
	for (i = 0; i < lengthof(flag_names); i++)
	{
		if (key->flags & flag_names[i].flag)
			appendStringInfo(text, ", %s", flag_names[i].what);
	}
}

static void
put_key(PgpsRow *row, const PgpsDialect *dialect, const StringInfoData *detected_by,
		const char *key, const char *field, const char *conversion)
{
	DIALECT_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

/* get_dialects() -> a row for each key of each dialect */
Datum
pgps_get_dialects(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	const PgpsDialect *const *d;
	const PgpsDialectKey *k;
	const char *const *ignored;
	StringInfoData text;
	StringInfoData detected_by;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, dialect_columns, lengthof(dialect_columns));
	initStringInfo(&text);
	initStringInfo(&detected_by);
	for (d = pgps_dialects; *d != NULL; d++)
	{
		resetStringInfo(&detected_by);
		for (i = 0; i < PGPS_DETECT_KEYS && (*d)->detected_by[i] != NULL; i++)
			appendBinaryStringInfo(&detected_by, (*d)->detected_by[i],
								   strlen((*d)->detected_by[i]) + 1);
		for (k = (*d)->keys; k->key != NULL; k++)
		{
			describe(&text, k);
			put_key(&row, *d, &detected_by, k->key, field_names[k->field],
					text.data);
		}
		for (ignored = (*d)->ignored; ignored && *ignored; ignored++)
			put_key(&row, *d, &detected_by, *ignored, NULL, "ignored");
	}
	return (Datum) 0;
}
