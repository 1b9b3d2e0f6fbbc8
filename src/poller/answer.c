/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  What a console answers to one SHOW: kept as a table, up to its bounds.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "poller/link.h"

#define MAX_ROWS 5000			/* in one answer */
#define MAX_COLUMNS 100
#define MAX_CELL 200			/* bytes; longer ones are cut */

static char *
keep_text(const char *text, int length)
{
	return pnstrdup(text, Min(length, MAX_CELL));
}

/*
 * Keep the columns and, in single-row mode, the row.  False if it is too much.
 */
bool
answer_take(Link *link, const PGresult *result)
{
	MemoryContext old = MemoryContextSwitchTo(link->context);
	PgpsTable  *table = link->table;
	int			ncols = PQnfields(result);
	int			i;

	if (table == NULL)
	{
		if (ncols > MAX_COLUMNS)
		{
			MemoryContextSwitchTo(old);
			return false;
		}
		link->table = table = palloc0(sizeof(PgpsTable));
		link->room = 16 * Max(ncols, 1);
		table->ncols = ncols;
		table->columns = palloc(Max(ncols, 1) * sizeof(char *));
		table->cells = palloc(link->room * sizeof(char *));
		for (i = 0; i < ncols; i++)
			table->columns[i] = keep_text(PQfname(result, i), MAX_CELL);
	}
	if (PQresultStatus(result) == PGRES_SINGLE_TUPLE && ncols == table->ncols)
	{
		if ((table->nrows + 1) * ncols > link->room)
		{
			link->room *= 2;
			table->cells = repalloc(table->cells, link->room * sizeof(char *));
		}
		for (i = 0; i < ncols; i++)
			table->cells[table->nrows * ncols + i] =
				PQgetisnull(result, 0, i) ? NULL :
				keep_text(PQgetvalue(result, 0, i), PQgetlength(result, 0, i));
		table->nrows++;
	}
	MemoryContextSwitchTo(old);
	return table->nrows <= MAX_ROWS;
}
