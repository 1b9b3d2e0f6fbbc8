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

#include "common/int.h"

#include "base/numbers.h"
#include "dialects/figures.h"

StaticAssertDecl(PGPS_NSCRATCH <= 64, "figures have a bit each");

static const PgpsComplaint nothing = {0, NULL};

static PgpsComplaint
complain(int sqlstate, const char *expected)
{
	PgpsComplaint complaint = {sqlstate, expected};

	return complaint;
}

static inline uint64
bit_of(int field)
{
	return PGPS_BIT(field);
}

static void
set_figure(PgpsFigures *fig, int field, int64 value)
{
	fig->known |= bit_of(field);
	fig->value[field] = value;
}

static void
unset_figure(PgpsFigures *fig, int field)
{
	fig->known &= ~bit_of(field);
}

static inline bool
is_known(const PgpsFigures *fig, int field)
{
	return (fig->known & bit_of(field)) != 0;
}

/* Is it a number of connections or callers, and no time? */
static inline bool
counts_things(int field)
{
	return field < PGPS_FIRST_COUNTER && field != PGPS_MAX_WAIT;
}

/* Take one of several values that make a field, or its only one. */
static PgpsComplaint
take_value(PgpsFigures *fig, const PgpsDialectKey *key, int64 value)
{
	int			field = key->field;

	if (key->flags & (PGPS_ADD | PGPS_SUBTRACT))
	{
		int64		sum = is_known(fig, field) ? fig->value[field] : 0;

		fig->summed |= bit_of(field);
		if ((key->flags & PGPS_ADD) ?
			pg_add_s64_overflow(sum, value, &sum) :
			pg_sub_s64_overflow(sum, value, &sum))
			return complain(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
							"a smaller number");
		set_figure(fig, field, sum);
	}
	else if (key->flags & PGPS_WEAK)
	{
		if (!is_known(fig, field) || (fig->weak & bit_of(field)))
		{
			set_figure(fig, field, value);
			fig->weak |= bit_of(field);
		}
	}
	else
	{
		if (is_known(fig, field) && !(fig->weak & bit_of(field)) &&
			fig->value[field] != value)
			fig->contradicted |= bit_of(field);
		set_figure(fig, field, value);
		fig->weak &= ~bit_of(field);
	}
	return nothing;
}

/* Read a number of nanoseconds, microseconds, ... */
static bool
to_microseconds(PgpsUnit unit, bool integral, int64 integer, double number,
				int64 *usecs)
{
	static const double factor[] = {
		[PGPS_UNIT_NS] = 0.001,
		[PGPS_UNIT_US] = 1.0,
		[PGPS_UNIT_MS] = 1000.0,
		[PGPS_UNIT_S] = 1000000.0
	};

	if (integral && unit == PGPS_UNIT_US)
		*usecs = integer;
	else if (integral && unit == PGPS_UNIT_NS)
		*usecs = integer / 1000 + (integer % 1000 >= 500 ? 1 : 0);
	else
	{
		/* 2^63 microseconds */
		number *= factor[unit];
		if (number >= 9223372036854775807.0)
			return false;
		*usecs = (int64) rint(number);
	}
	return true;
}

/* Read a duration in whatever form. */
static PgpsComplaint
read_time(PgpsFigures *fig, const PgpsDialectKey *key, const JsonbValue *value)
{
	static const char *const expected[] = {
		[PGPS_UNIT_NS] = "a number of nanoseconds",
		[PGPS_UNIT_US] = "a number of microseconds",
		[PGPS_UNIT_MS] = "a number of milliseconds",
		[PGPS_UNIT_S] = "a number of seconds"
	};
	char	   *text = pgps_number_text(value);
	bool		integral = false;
	int64		integer = 0;
	double		number = 0;
	int64		usecs;
	PgpsUnit	unit = key->unit;

	if (text == NULL || !pgps_read_number(text, &integral, &integer, &number))
	{
		if (!pgps_read_duration(value, text, &number))
			return complain(ERRCODE_INVALID_PARAMETER_VALUE, expected[unit]);
		integral = false;
		unit = PGPS_UNIT_S;
	}
	if (number < 0 && (key->flags & PGPS_CLAMP_NEGATIVE))
		number = integer = 0;
	if (number < 0)
		return complain(ERRCODE_INVALID_PARAMETER_VALUE,
						"a number that is not negative");
	if (!to_microseconds(unit, integral, integer, number, &usecs))
		return complain(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
						"a time below 9.2e15 milliseconds");
	return take_value(fig, key, usecs);
}

/* Does a number, or null, say that there is no limit? */
static bool
is_unlimited(const PgpsDialectKey *key, double number)
{
	return (number == 0 && (key->flags & PGPS_ZERO_UNLIMITED)) ||
		(number == -1 && (key->flags & PGPS_MINUS_UNLIMITED)) ||
		(number < 0 && (key->flags & PGPS_NEGATIVE_UNLIMITED)) ||
		(number == PG_INT32_MAX && (key->flags & PGPS_MAXINT_UNLIMITED));
}

static PgpsComplaint
read_whole_number(PgpsFigures *fig, const PgpsDialectKey *key,
				  const JsonbValue *value)
{
	bool		narrow = key->field < PGPS_FIRST_COUNTER &&
		!(key->flags & (PGPS_ADD | PGPS_SUBTRACT));
	int64		limit = narrow ? PG_INT32_MAX : PG_INT64_MAX;
	char	   *text = pgps_number_text(value);
	bool		integral;
	int64		integer;
	double		number;

	if (text == NULL || !pgps_read_number(text, &integral, &integer, &number))
		return complain(ERRCODE_INVALID_PARAMETER_VALUE, "a whole number");

	if (is_unlimited(key, number))
	{
		set_figure(fig, PGPS_UNLIMITED, 1);
		if (key->field != PGPS_POOL_SIZE || number != 0)
			return nothing;
	}
	else if (number < 0 && (key->flags & PGPS_CLAMP_NEGATIVE))
		number = integer = 0;

	if (number < 0)
		return complain(ERRCODE_INVALID_PARAMETER_VALUE,
						"a number that is not negative");
	if (!integral && number < (double) limit)
		return complain(ERRCODE_INVALID_PARAMETER_VALUE, "a whole number");
	if (!integral || integer > limit)
		return complain(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
						narrow ? "a number up to 2147483647" :
						"a number up to 9223372036854775807");
	return take_value(fig, key, integer);
}

/*
 * Convert one value by its row of the dialect table.
 */
PgpsComplaint
pgps_read_figure(PgpsFigures *fig, const PgpsDialect *dialect,
				 const PgpsDialectKey *key, const JsonbValue *value)
{
	PgpsComplaint complaint = nothing;

	if (value->type == jbvNull)
	{
		if (key->flags & PGPS_NULL_UNLIMITED)
			set_figure(fig, PGPS_UNLIMITED, 1);
		return nothing;
	}

	switch (key->unit)
	{
		case PGPS_UNIT_BOOL:
			if (value->type == jbvBool)
				set_figure(fig, key->field, value->val.boolean ? 1 : 0);
			else
				complaint = complain(ERRCODE_INVALID_PARAMETER_VALUE,
									 "true or false");
			break;
		case PGPS_UNIT_COUNT:
			complaint = read_whole_number(fig, key, value);
			break;
		default:
			complaint = read_time(fig, key, value);
			break;
	}

	if (complaint.expected != NULL)
		fig->broken |= bit_of(key->field);
	else if (key->flags & (PGPS_ADD | PGPS_SUBTRACT))
		fig->seen |= UINT64CONST(1) << (key - dialect->keys);
	return complaint;
}

/*
 * A sum is unknown if a part of it could not be read, or if a value to
 * subtract is missing.
 */
static void
finish_sums(PgpsFigures *fig, const PgpsDialect *dialect)
{
	uint64		incomplete = fig->broken;
	uint64		differences = 0;
	int			i;

	if (fig->summed == 0)
		return;
	for (i = 0; dialect->keys[i].key != NULL; i++)
	{
		if (dialect->keys[i].flags & PGPS_SUBTRACT)
			differences |= bit_of(dialect->keys[i].field);
	}
	for (i = 0; dialect->keys[i].key != NULL; i++)
	{
		const PgpsDialectKey *k = &dialect->keys[i];

		if ((k->flags & (PGPS_ADD | PGPS_SUBTRACT)) &&
			(differences & bit_of(k->field)) &&
			!(fig->seen & (UINT64CONST(1) << i)))
			incomplete |= bit_of(k->field);
	}
	for (i = 0; i < PGPS_NSCRATCH; i++)
	{
		if (!(fig->summed & bit_of(i)))
			continue;
		if (incomplete & bit_of(i))
			unset_figure(fig, i);
		fig->value[i] = Max(fig->value[i], 0);
		if (counts_things(i))
			fig->value[i] = pgps_cut_count(fig->value[i]);
	}
}

/* A library that leaves out counters that are 0, but tells its gauges */
static void
zero_absent_counters(PgpsFigures *fig, const PgpsDialect *dialect)
{
	const PgpsDialectKey *k;

	for (k = dialect->keys; k->key != NULL; k++)
	{
		if (k->field >= PGPS_FIRST_COUNTER && !is_known(fig, k->field))
			set_figure(fig, k->field, 0);
	}
}

/* How many are lent out, open and idle */
static PgpsComplaint
work_out_use(PgpsFigures *fig, const PgpsDialect *dialect)
{
	int64	   *v = fig->value;
	PgpsComplaint complaint = nothing;

	if (is_known(fig, PGPS_OPEN) && is_known(fig, PGPS_CHECKED_IN) &&
		!is_known(fig, PGPS_CHECKED_OUT))
	{
		int64		out = v[PGPS_OPEN] - v[PGPS_CHECKED_IN];

		/*
		 * "Open" of psycopg_pool includes connections that are not made yet:
		 * what was not made, broke, or was never asked for, is not lent out,
		 * nor what those get who still wait, unless they gave up: some are
		 * counted as both.
		 */
		if (is_known(fig, PGPS_CREATES) && v[PGPS_CREATES] > 0)
		{
			int64		queue = Max(v[PGPS_WAITING] - v[PGPS_TIMEOUTS], 0);

			out = Min(out, v[PGPS_CREATES] - v[PGPS_CREATE_ERRORS] - v[PGPS_DISCARDED]);
			out = Min(out, v[PGPS_CHECKOUTS] - v[PGPS_TIMEOUTS] - queue);
		}
		if (is_known(fig, PGPS_CREATES) && v[PGPS_CHECKOUTS] == 0)
			out = 0;
		set_figure(fig, PGPS_CHECKED_OUT, Max(out, 0));
	}

	if (is_known(fig, PGPS_CHECKED_OUT))
	{
		if (is_known(fig, PGPS_CHECKED_IN) && !is_known(fig, PGPS_OPEN))
			set_figure(fig, PGPS_OPEN, v[PGPS_CHECKED_OUT] + v[PGPS_CHECKED_IN]);
		if (is_known(fig, PGPS_OPEN) && v[PGPS_CHECKED_OUT] > v[PGPS_OPEN] &&
			!dialect->consistent)
		{
			/* a library reads its gauges one after the other */
			set_figure(fig, PGPS_OPEN, v[PGPS_CHECKED_OUT]);
		}
		else if (is_known(fig, PGPS_OPEN) && v[PGPS_CHECKED_OUT] > v[PGPS_OPEN])
		{
			complaint = complain(ERRCODE_INVALID_PARAMETER_VALUE,
								 "at least as many open connections as are checked out");
			unset_figure(fig, PGPS_OPEN);
		}
		if (is_known(fig, PGPS_OPEN) && !is_known(fig, PGPS_CHECKED_IN))
			set_figure(fig, PGPS_CHECKED_IN, v[PGPS_OPEN] - v[PGPS_CHECKED_OUT]);
	}
	return complaint;
}

/* How many there may be, and how many are above the normal cap */
static void
work_out_cap(PgpsFigures *fig)
{
	int64	   *v = fig->value;
	int64		on_top = is_known(fig, PGPS_MAX_OVERFLOW) ? v[PGPS_MAX_OVERFLOW] : 0;

	if (is_known(fig, PGPS_UNLIMITED) && v[PGPS_UNLIMITED])
		unset_figure(fig, PGPS_MAX_SIZE);
	else if (is_known(fig, PGPS_POOL_SIZE) && !is_known(fig, PGPS_MAX_SIZE))
		set_figure(fig, PGPS_MAX_SIZE, v[PGPS_POOL_SIZE] + on_top);
	else if (is_known(fig, PGPS_MAX_SIZE) && !is_known(fig, PGPS_POOL_SIZE))
		set_figure(fig, PGPS_POOL_SIZE, Max(v[PGPS_MAX_SIZE] - on_top, 0));

	if (is_known(fig, PGPS_MAX_SIZE) && !is_known(fig, PGPS_UNLIMITED))
		set_figure(fig, PGPS_UNLIMITED, 0);
	if (is_known(fig, PGPS_POOL_SIZE) && is_known(fig, PGPS_OPEN) &&
		!is_known(fig, PGPS_OVERFLOW) &&
		(v[PGPS_POOL_SIZE] > 0 || !is_known(fig, PGPS_UNLIMITED) || !v[PGPS_UNLIMITED]))
		set_figure(fig, PGPS_OVERFLOW, Max(v[PGPS_OPEN] - v[PGPS_POOL_SIZE], 0));
}

/*
 * Work out what follows from the figures that were reported, and from the
 * habits of the library.  Complains if the number of open connections is
 * impossible.
 */
PgpsComplaint
pgps_work_out(PgpsFigures *fig, const PgpsDialect *dialect)
{
	PgpsComplaint complaint;
	int64	   *v = fig->value;

	finish_sums(fig, dialect);
	if (dialect->settle != NULL)
		dialect->settle(fig);
	if (dialect->absent_is_zero && is_known(fig, PGPS_OPEN))
		zero_absent_counters(fig, dialect);
	complaint = work_out_use(fig, dialect);
	work_out_cap(fig);

	/* of a library that counts not all when it lends them */
	if (is_known(fig, PGPS_RETURNED) && is_known(fig, PGPS_CHECKED_OUT))
		set_figure(fig, PGPS_CHECKOUTS,
				   v[PGPS_RETURNED] + v[PGPS_CHECKED_OUT]);

	if (is_known(fig, PGPS_CREATE_ERRORS) && !is_known(fig, PGPS_ERRORS))
		set_figure(fig, PGPS_ERRORS, v[PGPS_CREATE_ERRORS]);

	if (is_known(fig, PGPS_CREATES) && !is_known(fig, PGPS_CREATED))
		set_figure(fig, PGPS_CREATED, v[PGPS_CREATES]);
	if (is_known(fig, PGPS_CREATE_ERRORS))
		set_figure(fig, PGPS_NOT_CREATED, v[PGPS_CREATE_ERRORS]);

	/* what the mean wait is a mean of */
	if (is_known(fig, PGPS_ACQUIRE_TIME) && !is_known(fig, PGPS_TOTAL_WAIT_TIME))
	{
		set_figure(fig, PGPS_TOTAL_WAIT_TIME, v[PGPS_ACQUIRE_TIME]);
		if (is_known(fig, PGPS_CHECKOUTS))
			set_figure(fig, PGPS_WAIT_EVENTS, v[PGPS_CHECKOUTS]);
	}
	else if (is_known(fig, PGPS_WAITS))
		set_figure(fig, PGPS_WAIT_EVENTS, v[PGPS_WAITS]);
	else if (is_known(fig, PGPS_CHECKOUTS))
		set_figure(fig, PGPS_WAIT_EVENTS, v[PGPS_CHECKOUTS]);
	return complaint;
}

/* The fields, without the scratch figures */
void
pgps_figures_to_values(PgpsValues *values, const PgpsFigures *fig)
{
	int			f;

	for (f = 0; f < PGPS_NFIELDS; f++)
	{
		if (is_known(fig, f))
			pgps_set(values, f, counts_things(f) ?
					 pgps_cut_count(fig->value[f]) : fig->value[f]);
	}
}
