/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  From the values of a library's statistics to our figures: units,
 *	  sentinels, ranges, and what follows from the others.
 *
 * Never raises for a value: what to do about a bad one is the caller's.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "figures.h"

#define MAX_NUMBER_TEXT 400		/* longer texts are no numbers */

StaticAssertDecl(PGPS_NSCRATCH <= 32, "figures have a bit each");

static const PgpsComplaint nothing = {0, NULL};

static PgpsComplaint
complain(int sqlstate, const char *expected)
{
	PgpsComplaint complaint = {sqlstate, expected};

	return complaint;
}

static void
tell(PgpsFigures *fig, int field, int64 value)
{
	fig->told |= (uint32) 1 << field;
	fig->value[field] = value;
}

static void
untell(PgpsFigures *fig, int field)
{
	fig->told &= ~((uint32) 1 << field);
}

static inline bool
told(const PgpsFigures *fig, int field)
{
	return (fig->told & ((uint32) 1 << field)) != 0;
}

/*
 * Text of a JSON number, or of a string that may hold one.  NULL for any
 * other value.
 */
char *
pgps_number_text(const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	if (value->type == jbvString && value->val.string.len < MAX_NUMBER_TEXT)
		return pnstrdup(value->val.string.val, value->val.string.len);
	return NULL;
}

/*
 * Read a number: an integer exactly, anything else as a double, infinite when
 * it is beyond that.  Returns false if it is no number.
 */
static bool
read_number(const char *text, bool *integral, int64 *integer, double *number)
{
	char	   *end;

	if (text[strspn(text, "+-0123456789.eE")] != '\0')
		return false;			/* no hexadecimal, no "inf", no "nan" */

	errno = 0;
	*integer = strtoll(text, &end, 10);
	*integral = end != text &&*end == '\0' && errno == 0;

	if (*integral)
	{
		*number = (double) *integer;
		return true;
	}

	*number = strtod(text, &end);
	if (*end != '\0' || end == text)
		return false;

	/* 3.0 and 1e3 are whole numbers, too */
	if (fabs(*number) < 9007199254740992.0 && rint(*number) == *number)
	{
		*integer = (int64) *number;
		*integral = true;
	}
	return true;
}

static PgpsComplaint
read_milliseconds(PgpsFigures *fig, int field, double number)
{
	/* 2^63 microseconds */
	if (number * 1000.0 >= 9223372036854775807.0)
		return complain(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
						"a number of milliseconds below 9.2e15");
	tell(fig, field, (int64) rint(number * 1000.0));
	return nothing;
}

static PgpsComplaint
read_count(PgpsFigures *fig, int field, bool integral, int64 integer,
		   double number)
{
	bool		narrow = field < PGPS_FIRST_COUNTER;
	int64		limit = narrow ? PG_INT32_MAX : PG_INT64_MAX;

	if (!integral && number < (double) limit)
		return complain(ERRCODE_INVALID_PARAMETER_VALUE, "a whole number");
	if (!integral || integer > limit)
		return complain(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
						narrow ? "a number up to 2147483647" :
						"a number up to 9223372036854775807");
	tell(fig, field, integer);
	return nothing;
}

/* Convert one value by its row of the dialect table. */
PgpsComplaint
pgps_read_figure(PgpsFigures *fig, const PgpsDialectKey *key,
				 const JsonbValue *value)
{
	char	   *text;
	bool		integral;
	int64		integer;
	double		number;

	if (key->unit == PGPS_UNIT_NONE || value->type == jbvNull)
		return nothing;
	if (key->unit == PGPS_UNIT_BOOL)
	{
		if (value->type != jbvBool)
			return complain(ERRCODE_INVALID_PARAMETER_VALUE, "true or false");
		tell(fig, key->field, value->val.boolean ? 1 : 0);
		return nothing;
	}

	text = pgps_number_text(value);

	if (text == NULL || !read_number(text, &integral, &integer, &number))
		return complain(ERRCODE_INVALID_PARAMETER_VALUE,
						key->unit == PGPS_UNIT_MS ?
						"a number of milliseconds" : "a whole number");

	if ((number == 0 && (key->flags & PGPS_ZERO_UNLIMITED)) ||
		(number == -1 && (key->flags & PGPS_MINUS_UNLIMITED)))
	{
		tell(fig, PGPS_UNLIMITED, 1);
		if (key->field != PGPS_POOL_SIZE)
			return nothing;
	}
	else if (number < 0 && (key->flags & PGPS_CLAMP_NEGATIVE))
		number = integer = 0;

	if (number < 0)
		return complain(ERRCODE_INVALID_PARAMETER_VALUE,
						"a number that is not negative");
	if (key->unit == PGPS_UNIT_MS)
		return read_milliseconds(fig, key->field, number);
	return read_count(fig, key->field, integral, integer, number);
}

/* A library that leaves out counters that are 0 */
static void
tell_absent_counters(PgpsFigures *fig, const PgpsDialect *dialect)
{
	const PgpsDialectKey *k;

	for (k = dialect->keys; k->key != NULL; k++)
	{
		if (k->unit != PGPS_UNIT_NONE && k->field >= PGPS_FIRST_COUNTER &&
			!told(fig, k->field))
			tell(fig, k->field, 0);
	}
}

/* How many are lent out, open, idle */
static PgpsComplaint
work_out_use(PgpsFigures *fig)
{
	int64	   *v = fig->value;
	PgpsComplaint complaint = nothing;

	if (told(fig, PGPS_OPEN) && told(fig, PGPS_CHECKED_IN) &&
		!told(fig, PGPS_CHECKED_OUT))
	{
		int64		out = v[PGPS_OPEN] - v[PGPS_CHECKED_IN];

		/*
		 * "Open" of psycopg_pool includes planned connections: what was never
		 * opened or never asked for is not lent.
		 */
		if (told(fig, PGPS_CREATES) && v[PGPS_CREATES] > 0)
			out = Min(out, v[PGPS_CREATES] - v[PGPS_CREATE_ERRORS]);
		if (told(fig, PGPS_CREATES) && v[PGPS_CHECKOUTS] == 0)
			out = 0;
		tell(fig, PGPS_CHECKED_OUT, Max(out, 0));
	}

	if (told(fig, PGPS_CHECKED_OUT))
	{
		if (told(fig, PGPS_CHECKED_IN) && !told(fig, PGPS_OPEN))
			tell(fig, PGPS_OPEN, v[PGPS_CHECKED_OUT] + v[PGPS_CHECKED_IN]);
		if (told(fig, PGPS_OPEN) && v[PGPS_CHECKED_OUT] > v[PGPS_OPEN])
		{
			complaint = complain(ERRCODE_INVALID_PARAMETER_VALUE,
								 "at least as many open connections as are checked out");
			untell(fig, PGPS_OPEN);
		}
		if (told(fig, PGPS_OPEN) && !told(fig, PGPS_CHECKED_IN))
			tell(fig, PGPS_CHECKED_IN, v[PGPS_OPEN] - v[PGPS_CHECKED_OUT]);
	}
	return complaint;
}

/* How many there may be, and how many are above the normal cap */
static void
work_out_cap(PgpsFigures *fig)
{
	int64	   *v = fig->value;
	int64		on_top = told(fig, PGPS_MAX_OVERFLOW) ? v[PGPS_MAX_OVERFLOW] : 0;

	if (told(fig, PGPS_UNLIMITED) && v[PGPS_UNLIMITED])
		untell(fig, PGPS_MAX_SIZE);
	else if (told(fig, PGPS_POOL_SIZE) && !told(fig, PGPS_MAX_SIZE))
		tell(fig, PGPS_MAX_SIZE, v[PGPS_POOL_SIZE] + on_top);
	else if (told(fig, PGPS_MAX_SIZE) && !told(fig, PGPS_POOL_SIZE))
		tell(fig, PGPS_POOL_SIZE, Max(v[PGPS_MAX_SIZE] - on_top, 0));

	if (told(fig, PGPS_MAX_SIZE) && !told(fig, PGPS_UNLIMITED))
		tell(fig, PGPS_UNLIMITED, 0);
	if (told(fig, PGPS_POOL_SIZE) && told(fig, PGPS_OPEN) &&
		!told(fig, PGPS_OVERFLOW))
		tell(fig, PGPS_OVERFLOW, Max(v[PGPS_OPEN] - v[PGPS_POOL_SIZE], 0));
}

/*
 * What follows from the figures that were told, and from the habits of the
 * library that told them.  Complains about the number of open connections, if
 * that cannot be.
 */
PgpsComplaint
pgps_work_out(PgpsFigures *fig, const PgpsDialect *dialect)
{
	PgpsComplaint complaint;
	int64	   *v = fig->value;

	if (dialect->absent_is_zero)
		tell_absent_counters(fig, dialect);
	complaint = work_out_use(fig);
	work_out_cap(fig);

	if (told(fig, PGPS_CREATE_ERRORS) && !told(fig, PGPS_ERRORS))
		tell(fig, PGPS_ERRORS, v[PGPS_CREATE_ERRORS]);

	/* what the mean wait is a mean of */
	if (dialect->waits_divide && told(fig, PGPS_WAITS))
		tell(fig, PGPS_WAIT_EVENTS, v[PGPS_WAITS]);
	else if (told(fig, PGPS_CHECKOUTS))
		tell(fig, PGPS_WAIT_EVENTS, v[PGPS_CHECKOUTS]);
	return complaint;
}

/* The fields, without what was only needed to work them out */
void
pgps_figures_to_values(PgpsValues *values, const PgpsFigures *fig)
{
	int			f;

	for (f = 0; f < PGPS_NFIELDS; f++)
	{
		if (told(fig, f))
			pgps_set(values, f, fig->value[f]);
	}
}
