/*-------------------------------------------------------------------------
 *
 * table.h
 *	  Hash tables in a process's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TABLE_H
#define PGPS_TABLE_H

#include "utils/hsearch.h"

extern HTAB *pgps_make_table(const char *name, long expected, Size keysize,
							 Size entrysize);

#endif							/* PGPS_TABLE_H */
