/*-------------------------------------------------------------------------
 *
 * detect.h
 *	  Which dialect is a document in?
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_DETECT_H
#define PGPS_DETECT_H

#include "base/compat.h"
#include "dialects/dialect.h"
#include "dialects/document.h"

extern const PgpsDialect *pgps_find_dialect(const PgpsDocument *doc,
											const char *name);
extern const PgpsWordRow *pgps_find_row(const PgpsDialect *dialect,
										const PgpsEntry *entry);
extern int	pgps_known_keys(const PgpsDocument *doc,
							const PgpsDialect *dialect);
extern void pgps_show_key(const PgpsDocument *doc, const PgpsEntry *entry,
						  char *shown);
pg_noreturn extern void pgps_raise_unknown(const PgpsDocument *doc);

#endif							/* PGPS_DETECT_H */
