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

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "views/row.h"

PG_FUNCTION_INFO_V1(pgps_get_dialects);

#define DIALECT_COLUMNS(C) \
	C(dialect, text, dialect->name) \
	C(detected_by, texts, detected_by->data, detected_by->len) \
	C(key, text, key) \
	C(field, text, field) \
	C(conversion, text, conversion) \
	C(tested_with, text, dialect->with_library ? "library" : "documents")

/* fields that none of our own words names; others are worked out from some */
static const struct
{
	const char *name;			/* column of the views */
	const char *note;			/* how that follows from it, or NULL */
}			other_fields[PGPS_NSCRATCH] = {
	[PGPS_CLIENTS] = {"clients"},
	[PGPS_XACTS] = {"xacts"},
	[PGPS_QUERIES] = {"queries"},
	[PGPS_CREATED] = {"client_connect_time", "divided by these"},
	[PGPS_NOT_CREATED] = {"client_connect_time", "but not by these"},
	[PGPS_CREATE_TIME] = {"client_connect_time"},
	[PGPS_IDLE_CLOSED] = {"idle_closed"},
	[PGPS_LIFETIME_CLOSED] = {"lifetime_closed"},
	[PGPS_CREATES] = {"checked_out", "no more than these"},
	[PGPS_CREATE_ERRORS] = {"errors"},
	[PGPS_DISCARDED] = {"checked_out", "not these"},
	[PGPS_ACQUIRE_TIME] = {"total_wait_time", "of all checkouts"},
	[PGPS_CHILD] = {"pool_size", "distinct"},
	[PGPS_SLOT] = {"open", "distinct"},
	[PGPS_BACKEND] = {"open", "where not 0"},
	[PGPS_CONNECTED] = {"checked_out", "processes where not 0"},
	[PGPS_RETURNED] = {"checkouts", "and checked_out"},
	[PGPS_SAYS_ACTIVE] = {"checked_out", "or open, beside a word for checked_out"},
	[PGPS_SAYS_IDLE] = {"checked_in", "if open is reported"},
	[PGPS_SAYS_AVAILABLE] = {"checked_in", "if open is reported"},
	[PGPS_SAYS_SIZE] = {"open", "or max_size, beside available alone"},
	[PGPS_SAYS_TOTAL] = {"open", "if it fits the others"},
	[PGPS_SAYS_PENDING] = {"waiting", "if none is idle"}
};

static const char *const unit_names[] = {
	[PGPS_UNIT_COUNT] = "count",
	[PGPS_UNIT_BOOL] = "boolean",
	[PGPS_UNIT_NS] = "ns",
	[PGPS_UNIT_US] = "us",
	[PGPS_UNIT_MS] = "ms",
	[PGPS_UNIT_S] = "s"
};

/* what is special about the values of a key */
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
field_name(int field)
{
	const PgpsDialectKey *k;

	for (k = pgps_native.keys; k->key != NULL; k++)
	{
		if (k->field == field)
			return k->key;
	}
	return other_fields[field].name;
}

/* How a value is converted */
static void
describe(StringInfo text, const PgpsDialectKey *key)
{
	const char *note = other_fields[key->field].note;
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
	PGPS_PUT_ROW(DIALECT_COLUMNS);
}

/* get_dialects() -> a row for each key of each dialect */
Datum
pgps_get_dialects(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(DIALECT_COLUMNS);
	const PgpsDialect *const *d;
	const PgpsDialectKey *k;
	const char *const *ignored;
	StringInfoData text;
	StringInfoData detected_by;
	int			i;

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
			put_key(row, *d, &detected_by, k->key, field_name(k->field),
					text.data);
		}
		for (ignored = (*d)->ignored; ignored && *ignored; ignored++)
			put_key(row, *d, &detected_by, *ignored, NULL, "ignored");
	}
	return (Datum) 0;
}
