/*-------------------------------------------------------------------------
 *
 * page.c
 *	  What report_html() does not write in SQL: texts that somebody else
 *	  wrote, outlines of charts, and how far back it looks.
 *
 * Nothing is shared here.  The rest of the page is in the .sql files beside
 * this one.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/shmem.h"

PG_FUNCTION_INFO_V1(pgps_get_page_text);
PG_FUNCTION_INFO_V1(pgps_get_page_outline);
PG_FUNCTION_INFO_V1(pgps_get_page_window);

/* The bytes of the character at "p", or 0 if it is not UTF-8 */
static int
utf8_length(const unsigned char *p, const unsigned char *end)
{
	int			length = pg_utf_mblen(p);

	return length <= end - p && pg_utf8_islegal(p, length) ? length : 0;
}

/*
 * A text as part of a page, between tags or in an attribute: no markup, and
 * ASCII.  Names can have bytes that mean nothing in this database: those are
 * question marks.
 */
Datum
pgps_get_page_text(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(source);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(source);
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	StringInfoData page;

	initStringInfo(&page);
	while (p < end)
	{
		int			length = 1;

		if (*p == '&' || *p == '<' || *p == '>' || *p == '"' || *p == '\'')
			appendStringInfo(&page, "&#%d;", *p);
		else if (*p == '\n')
			appendStringInfoChar(&page, '\n');
		else if (*p >= ' ' && *p <= '~')
			appendStringInfoChar(&page, *p);
		else if (utf8 && *p >= 0xA0 && (length = utf8_length(p, end)) > 1)
			appendStringInfo(&page, "&#%u;", (unsigned) utf8_to_unicode(p));
		else
		{
			appendStringInfoChar(&page, '?');
			length = 1;
		}
		p += length;
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}

/*
 * The outline of a chart: a point for each value, 1 apart, "top" at height 0,
 * 0 at "height".  What is 0 or unknown is not drawn; the last value before that
 * is as wide as the others.
 */
Datum
pgps_get_page_outline(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	double		top = PG_GETARG_FLOAT8(1);
	int			height = PG_GETARG_INT32(2);
	StringInfoData path;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			drawn = 0;		/* where the pen is: at which value, */
	int			pen = 0;		/* and how high */
	int			before = 0;
	int			i;

	/* passed by value where a Datum has room for it */
	deconstruct_array(array, FLOAT8OID, sizeof(float8),
					  sizeof(Datum) >= sizeof(float8), TYPALIGN_DOUBLE,
					  &values, &nulls, &n);
	initStringInfo(&path);
	for (i = 0; i <= n; i++)
	{
		double		value = i == n || nulls[i] ? 0 : DatumGetFloat8(values[i]);
		int			here = value > 0 && top > 0 ?
			(int) rint(Min(value / top, 1) * height) : 0;

		if (here == before)
			continue;
		if (before == 0)
			appendStringInfo(&path, "M%d %dv-%dl", i, height, here);
		else
		{
			/* first to the end of what was level */
			int			level = i - 1 - drawn;
			bool		more = path.data[path.len - 1] != 'l';

			if (level > 0)
			{
				appendStringInfo(&path, "%s%d 0", more ? " " : "", level);
				more = true;
			}
			if (here > 0)
				appendStringInfo(&path, pen - here < 0 ? "%s1%d" : "%s1 %d",
								 more ? " " : "", pen - here);
			else
				appendStringInfo(&path, "%s1 0V%d", more ? " " : "", height);
		}
		drawn = i;
		pen = before = here;
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(path.data, path.len));
}

/* How far back the page looks; an error where there is nothing to look at */
Datum
pgps_get_page_window(PG_FUNCTION_ARGS)
{
	Interval   *since = PG_ARGISNULL(0) ? NULL : PG_GETARG_INTERVAL_P(0);

	pgps_ensure_loaded();
	if (since == NULL ||
		since->time + (since->day + since->month * (double) DAYS_PER_MONTH) *
		USECS_PER_DAY <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since must be longer than 0")));
	PG_RETURN_INTERVAL_P(since);
}
