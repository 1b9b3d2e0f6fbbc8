/*-------------------------------------------------------------------------
 *
 * table.c
 *	  The answer to one SHOW command of a pooler's console.
 *
 * Columns are found by name; rows are read in the words of a dialect.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/jsonb.h"

#include "dialects/dialect.h"
#include "dialects/figures.h"
#include "poolers/console.h"
#include "poolers/console_read.h"

static int
find_column(const PgpsTable *table, const char *name, Size length)
{
	int			i;

	/* PgDog has used_clients twice, and the first is 0 */
	for (i = table->ncols - 1; i >= 0; i--)
	{
		if (strlen(table->columns[i]) == length &&
			pg_strncasecmp(table->columns[i], name, length) == 0)
			return i;
	}
	return -1;
}

/* NULL if the column is not there, or null */
const char *
pgps_cell(const PgpsTable *table, int row, const char *column)
{
	int			c = table ? find_column(table, column, strlen(column)) : -1;

	return c < 0 || row < 0 || row >= table->nrows ? NULL :
		table->cells[row * table->ncols + c];
}

bool
pgps_is_cell(const PgpsTable *table, int row, const char *column, const char *value)
{
	const char *found = pgps_cell(table, row, column);

	return found != NULL && strcmp(found, value) == 0;
}

/* The row in which a column has a value; -1 if there is none. */
int
pgps_table_row(const PgpsTable *table, const char *column, const char *value)
{
	int			c = table ? find_column(table, column, strlen(column)) : -1;
	int			i;

	for (i = 0; c >= 0 && i < table->nrows; i++)
	{
		const char *cell = table->cells[i * table->ncols + c];

		if (cell != NULL && strcmp(cell, value) == 0)
			return i;
	}
	return -1;
}

/* A count out of a table; -1 if it is none. */
int32
pgps_count_in(const PgpsTable *table, int row, const char *column)
{
	const char *cell = pgps_cell(table, row, column);
	char	   *end;
	long		value;

	if (cell == NULL)
		return -1;
	errno = 0;
	value = strtol(cell, &end, 10);
	return errno == 0 && end != cell && *end == '\0' && value >= 0 &&
		value <= PG_INT32_MAX ? (int32) value : -1;
}

/*
 * The sum of a column of counts, without what is of one database; -1 if it is
 * not there, or one of them is none.
 */
int64
pgps_sum_of(const PgpsTable *table, const char *column, const char *without)
{
	int64		sum = 0;
	int			i;

	if (table == NULL || find_column(table, column, strlen(column)) < 0)
		return -1;
	for (i = 0; i < table->nrows; i++)
	{
		const char *cell = pgps_cell(table, i, column);
		char	   *end;
		long long	value;

		if (pgps_is_cell(table, i, "database", without))
			continue;
		errno = 0;
		value = cell == NULL ? -1 : strtoll(cell, &end, 10);
		if (value < 0 || errno != 0 || end == cell || *end != '\0' ||
			pg_add_s64_overflow(sum, value, &sum))
			return -1;
	}
	return sum;
}

/* Are the columns there that a dialect is known by? */
bool
pgps_speaks(const PgpsTable *table, const PgpsDialect *dialect)
{
	int			i;

	for (i = 0; i < PGPS_DETECT_KEYS && dialect->detected_by[i] != NULL; i++)
	{
		const char *p = dialect->detected_by[i];
		Size		length = strcspn(p, "|");

		while (find_column(table, p, length) < 0)
		{
			if (p[length] == '\0')
				return false;
			p += length + 1;
			length = strcspn(p, "|");
		}
	}
	return true;
}

/* The dialect of a table, most specific first; NULL if it is none of ours. */
const PgpsDialect *
pgps_dialect_of(const PgpsTable *table, const PgpsDialect *const *dialects)
{
	for (; table != NULL && *dialects != NULL; dialects++)
	{
		if (pgps_speaks(table, *dialects))
			return *dialects;
	}
	return NULL;
}

/* Read one row; a value that cannot be leaves its figure unknown. */
void
pgps_read_row(PgpsFigures *figures, const PgpsTable *table, int row,
			  const PgpsDialect *dialect)
{
	const PgpsDialectKey *key;

	memset(figures, 0, sizeof(PgpsFigures));
	for (key = dialect->keys; key->key != NULL; key++)
	{
		const char *text = pgps_cell(table, row, key->key);
		JsonbValue	value;

		if (text == NULL)
			continue;
		value.type = jbvString;
		value.val.string.val = unconstify(char *, text);
		value.val.string.len = strlen(text);
		(void) pgps_read_figure(figures, dialect, key, &value);
	}
}
