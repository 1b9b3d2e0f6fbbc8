/*-------------------------------------------------------------------------
 *
 * overview_layout.c
 *	  The widths of the columns of the view overview.
 *
 * No wider than a terminal of 120 columns: the name of the pool gets what the
 * others leave.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "views/overview.h"

#define TERMINAL_WIDTH 120

/* if all that does not fit */
#define POOL_WIDTH 15
#define MIN_POOL_WIDTH 8
#define WIDE_USED 13
#define NARROW_DATABASE_WIDTH 6
#define NARROW_WHY_WIDTH 10

#define HEAD_OF(name, ...) #name,
static const char *const heads[] = {OVERVIEW_COLUMNS(HEAD_OF)};

/* Shorter, with ~ at its end, if it is longer than that */
char *
pgps_clip(const char *text, int width)
{
	int			length = strlen(text);

	if (length <= width)
		return pstrdup(text);
	return psprintf("%.*s~", pg_mbcliplen(text, length, width - 1), text);
}

static int
cell_width(const char *cell)
{
	return cell != NULL ? strlen(cell) : 0;
}

/* What is left out, one after the other, while names have too little room */
typedef enum Narrow
{
	NARROW_NOTHING,
	NARROW_WIDE_BARS,			/* bars of large figures */
	NARROW_DATABASE,
	NARROW_BARS,
	NARROW_WHY
} Narrow;

static void
narrow(PgpsCells *cells, int n, Narrow what)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		const char **cell = cells[i];
		int			wide = what == NARROW_BARS ? PGPS_BAR_LENGTH : WIDE_USED;

		if (what == NARROW_DATABASE && cell[CELL_database] != NULL)
			cell[CELL_database] = pgps_clip(cell[CELL_database],
											NARROW_DATABASE_WIDTH);
		else if (what == NARROW_WHY && cell[CELL_why] != NULL)
			cell[CELL_why] = pgps_clip(cell[CELL_why], NARROW_WHY_WIDTH);
		else if ((what == NARROW_WIDE_BARS || what == NARROW_BARS) &&
				 cell_width(cell[CELL_used]) > wide &&
				 strchr("[ ", cell[CELL_used][0]) != NULL)
			cell[CELL_used] += PGPS_BAR_LENGTH;
	}
}

/*
 * Lay out the columns: numbers to the right, and for the pool's name the room
 * that the others leave.
 */
static void
lay_out(PgpsCells *cells, int n, Narrow narrowed)
{
	int			width = TERMINAL_WIDTH - (3 * CELLS - 1);
	int			names = 0;
	int			i,
				c;

	for (c = CELL_pool + 1; c < CELLS; c++)
	{
		int			widest = strlen(heads[c]);

		for (i = 0; i < n; i++)
			widest = Max(widest, cell_width(cells[i][c]));
		for (i = 0; i < n && (c == CELL_wait || c == CELL_p95_ms); i++)
		{
			if (cell_width(cells[i][c]) > 0)
				cells[i][c] = psprintf("%*s", widest, cells[i][c]);
		}
		width -= widest;
	}
	for (i = 0; i < n; i++)
		names = Max(names, cell_width(cells[i][CELL_pool]));
	if (narrowed < NARROW_WHY &&
		width < Min(names, narrowed < NARROW_DATABASE ? POOL_WIDTH :
					MIN_POOL_WIDTH))
	{
		narrow(cells, n, narrowed + 1);
		lay_out(cells, n, narrowed + 1);
		return;
	}
	for (i = 0; i < n; i++)
		cells[i][CELL_pool] = pgps_clip(cells[i][CELL_pool],
										Max(width, MIN_POOL_WIDTH));
}

/* Cells are changed in place. */
void
pgps_lay_out(PgpsCells *cells, int n)
{
	lay_out(cells, n, NARROW_NOTHING);
}
