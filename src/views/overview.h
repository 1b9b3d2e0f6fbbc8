/*-------------------------------------------------------------------------
 *
 * overview.h
 *	  The cells of the view overview; for overview.c and overview_layout.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_OVERVIEW_H
#define PGPS_OVERVIEW_H

#define PGPS_BAR_LENGTH 8		/* "[#####] " */

#define OVERVIEW_COLUMNS(C) \
	C(pool, text, cell[CELL_pool]) \
	C(database, text, cell[CELL_database]) \
	C(inst, int4, cell_number(cell[CELL_inst])) \
	C(conns, int4, cell_number(cell[CELL_conns])) \
	C(used, text, cell[CELL_used]) \
	C(fullest, text, cell[CELL_fullest]) \
	C(wait, text, cell[CELL_wait]) \
	C(p95_ms, text, cell[CELL_p95_ms]) \
	C(last_hour, text, cell[CELL_last_hour]) \
	C(status, text, cell[CELL_status]) \
	C(why, text, cell[CELL_why])

/* the cells of a line, as text: NULL = empty */
#define CELL_OF(name, ...) CELL_##name,
enum
{
	OVERVIEW_COLUMNS(CELL_OF) CELLS
};
typedef const char *PgpsCells[CELLS];

extern char *pgps_clip(const char *text, int width);
extern void pgps_lay_out(PgpsCells *cells, int n);

#endif							/* PGPS_OVERVIEW_H */
