/*-------------------------------------------------------------------------
 *
 * table.h
 *	  The answer to one SHOW command of a pooler's console.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TABLE_H
#define PGPS_TABLE_H

#include "dialects/figures.h"
#include "poolers/console.h"

extern const char *pgps_cell(const PgpsTable *table, int row,
							 const char *column);
extern bool pgps_is_cell(const PgpsTable *table, int row, const char *column,
						 const char *value);
extern int	pgps_table_row(const PgpsTable *table, const char *column,
						   const char *value);
extern int32 pgps_count_in(const PgpsTable *table, int row,
						   const char *column);
extern bool pgps_speaks(const PgpsTable *table, const PgpsDialect *dialect);
extern const PgpsDialect *pgps_dialect_of(const PgpsTable *table,
										  const PgpsDialect *const *dialects);
extern void pgps_read_row(PgpsFigures *figures, const PgpsTable *table, int row,
						  const PgpsDialect *dialect);

#endif							/* PGPS_TABLE_H */
