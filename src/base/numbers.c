/*-------------------------------------------------------------------------
 *
 * numbers.c
 *	  Numbers and durations, in whatever form libraries write them.
 *
 * Never raises: the caller learns that a text is no number.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/numbers.h"

#define MAX_NUMBER_TEXT 400		/* longer texts are no numbers */

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
bool
pgps_read_number(const char *string, bool *integral, int64 *integer, double *number)
{
	char	   *end;

	if (string[strspn(string, "+-0123456789.eE")] != '\0')
		return false;			/* no hexadecimal, no "inf", no "nan" */

	errno = 0;
	*integer = strtoll(string, &end, 10);
	*integral = end != string && *end == '\0' && errno == 0;

	if (*integral)
	{
		*number = (double) *integer;
		return true;
	}

	*number = strtod(string, &end);
	if (*end != '\0' || end == string)
		return false;

	/* 3.0 and 1e3 are whole numbers, too */
	if (fabs(*number) < 9007199254740992.0 && rint(*number) == *number)
	{
		*integer = (int64) *number;
		*integral = true;
	}
	return true;
}

/* A part of a duration, such as the "1.5" of "PT1.5S"; no sign, no exponent */
static bool
read_part(const char **string, double *number)
{
	Size		length = strspn(*string, "0123456789.");
	char	   *end;

	if (length == 0 || length > 40)
		return false;
	*number = strtod(*string, &end);
	if (end != *string + length)
		return false;
	*string = end;
	return true;
}

/*
 * Read a duration that carries its unit: ISO 8601 as Java writes it
 * (PT1M1.5S), [d.]hh:mm:ss.f of .NET, or 1m1.5s of Go.  In seconds.
 */
static bool
read_duration_text(const char *p, double *seconds)
{
	static const struct
	{
		const char *unit;
		double		seconds;
	}			units[] = {
		{"ms", 1e-3}, {"us", 1e-6}, {"\xc2\xb5s", 1e-6}, {"ns", 1e-9},
		{"s", 1}, {"S", 1}, {"m", 60}, {"M", 60}, {"h", 3600}, {"H", 3600},
		{"D", 86400}
	};
	bool		negative = *p == '-';
	bool		iso;
	double		part;

	*seconds = 0;
	p += negative ? 1 : 0;

	if (strchr(p, ':') != NULL)
	{
		double		days = 0;
		int			n = 0;
		const char *dot = strchr(p, '.');

		if (dot != NULL && dot < strchr(p, ':'))
		{
			Size		length = strspn(p, "0123456789");

			if (p + length != dot || length == 0 || length > 9)
				return false;
			days = strtod(p, NULL);
			p = dot + 1;
		}
		for (;;)
		{
			if (!read_part(&p, &part))
				return false;
			*seconds = *seconds * 60 + part;
			if (++n == 3 || *p != ':')
				break;
			p++;
		}
		*seconds += days * 86400;
		if (n != 3 || *p != '\0')
			return false;
	}
	else
	{
		iso = *p == 'P';
		if (iso)
			p++;
		if (*p == '\0')
			return false;
		while (*p != '\0')
		{
			int			i;

			if (iso && *p == 'T' && p[1] != '\0')
				p++;
			if (iso && *p == '-')
				negative = true,
					p++;
			if (!read_part(&p, &part))
				return false;
			for (i = 0; i < lengthof(units); i++)
			{
				if (strncmp(p, units[i].unit, strlen(units[i].unit)) == 0)
					break;
			}
			if (i == lengthof(units))
				return false;
			*seconds += part * units[i].seconds;
			p += strlen(units[i].unit);
		}
	}
	if (negative)
		*seconds = -*seconds;
	return true;
}

/* Read {"secs": 1, "nanos": 5}, as serde writes a duration.  In seconds. */
static bool
read_duration_object(JsonbContainer *object, double *seconds)
{
	static const struct
	{
		const char *key;
		double		seconds;
	}			parts[] = {
		{"secs", 1}, {"seconds", 1}, {"nanos", 1e-9}
	};
	int			found = 0;
	int			i;

	*seconds = 0;
	if (!JsonContainerIsObject(object))
		return false;
	for (i = 0; i < lengthof(parts); i++)
	{
		JsonbValue	value;
		char	   *text;
		bool		integral;
		int64		integer;
		double		number;

		if (getKeyJsonValueFromContainer(object, parts[i].key,
										 strlen(parts[i].key), &value) == NULL)
			continue;
		text = pgps_number_text(&value);

		if (text == NULL || !pgps_read_number(text, &integral, &integer, &number))
			return false;
		*seconds += number * parts[i].seconds;
		found++;
	}
	return found > 0 && found == JsonContainerSize(object);
}

/*
 * Read a duration that carries its unit, an object or a text (that of the
 * value, NULL if it has none).  In seconds.  Returns false if it is none.
 */
bool
pgps_read_duration(const JsonbValue *value, const char *given, double *seconds)
{
	if (value->type == jbvBinary)
		return read_duration_object(value->val.binary.data, seconds);
	return given != NULL && read_duration_text(given, seconds);
}
