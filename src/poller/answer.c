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

#include "libpq-fe.h"

#include "poller/link.h"
#include "poolers/console.h"

#define MAX_ROWS 5000			/* in one answer */
#define MAX_COLUMNS 100
#define MAX_CELL 200			/* bytes; longer ones are cut */

#define TOO_MUCH "its answer has too many rows or columns"
#define NO_MEMORY "out of memory"

/*
 * NULL if there is no memory.  The poller has a limit (guard.c), and who reaches
 * it is not to end it for all others.
 */
static void *
room_for(Link *link, Size size)
{
	return MemoryContextAllocExtended(link->context, size, MCXT_ALLOC_NO_OOM);
}

static char *
keep_text(Link *link, const char *text, int length)
{
	Size		kept = strnlen(text, Min(length, MAX_CELL));
	char	   *copy = room_for(link, kept + 1);

	if (copy != NULL)
	{
		memcpy(copy, text, kept);
		copy[kept] = '\0';
	}
	return copy;
}

/* NULL if there is no memory */
static PgpsTable *
begin_table(Link *link, const PGresult *result)
{
	PgpsTable  *table = room_for(link, sizeof(PgpsTable));
	int			i;

	if (table == NULL)
		return NULL;
	memset(table, 0, sizeof(PgpsTable));
	table->ncols = PQnfields(result);
	link->room = 16 * Max(table->ncols, 1);
	table->columns = room_for(link, Max(table->ncols, 1) * sizeof(char *));
	table->cells = room_for(link, link->room * sizeof(char *));
	if (table->columns == NULL || table->cells == NULL)
		return NULL;
	for (i = 0; i < table->ncols; i++)
	{
		table->columns[i] = keep_text(link, PQfname(result, i), MAX_CELL);
		if (table->columns[i] == NULL)
			return NULL;
	}
	return table;
}

/* False if there is no memory */
static bool
make_room(Link *link, PgpsTable *table)
{
	char	  **cells;

	if ((table->nrows + 1) * table->ncols <= link->room)
		return true;
	cells = room_for(link, 2 * link->room * sizeof(char *));
	if (cells == NULL)
		return false;
	memcpy(cells, table->cells, link->room * sizeof(char *));
	pfree(table->cells);
	table->cells = cells;
	link->room *= 2;
	return true;
}

/*
 * Keep the columns and, in single-row mode, the row.  Returns what is wrong, or
 * NULL.
 */
const char *
answer_take(Link *link, const PGresult *result)
{
	PgpsTable  *table = link->table;
	int			i;

	if (table == NULL)
	{
		if (PQnfields(result) > MAX_COLUMNS)
			return TOO_MUCH;
		link->table = table = begin_table(link, result);
		if (table == NULL)
			return NO_MEMORY;
	}
	if (PQresultStatus(result) != PGRES_SINGLE_TUPLE ||
		PQnfields(result) != table->ncols)
		return NULL;
	if (!make_room(link, table))
		return NO_MEMORY;
	for (i = 0; i < table->ncols; i++)
	{
		char	  **cell = &table->cells[table->nrows * table->ncols + i];

		*cell = PQgetisnull(result, 0, i) ? NULL :
			keep_text(link, PQgetvalue(result, 0, i), PQgetlength(result, 0, i));
		if (*cell == NULL && !PQgetisnull(result, 0, i))
			return NO_MEMORY;
	}
	return ++table->nrows <= MAX_ROWS ? NULL : TOO_MUCH;
}
