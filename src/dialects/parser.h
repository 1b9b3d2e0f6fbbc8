/*-------------------------------------------------------------------------
 *
 * parser.h
 *	  One document, read in the words of its dialect.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PARSER_H
#define PGPS_PARSER_H

#include "utils/jsonb.h"

#include "base/compat.h"
#include "dialects/dialect.h"
#include "dialects/document.h"
#include "dialects/figures.h"
#include "dialects/stats.h"
#include "dialects/words.h"

typedef struct PgpsParser
{
	PgpsDocument doc;
	const PgpsDialect *dialect;
	PgpsFigures figures;
	int			nfigures;		/* keys that report some, good or not */
	bool		strict;
	bool		listed;			/* the document is one of several in a list */
	PgpsStats  *stats;
} PgpsParser;

extern PgpsStats *pgps_parse_document(PgpsParser *parser,
									  JsonbContainer *container,
									  const PgpsDialect *dialect, bool strict);
extern PgpsStats *pgps_finish_document(PgpsParser *parser);
extern void pgps_read_common(PgpsParser *parser, const PgpsEntry *entry);
extern void pgps_not_understood(PgpsParser *parser, const PgpsEntry *entry,
								int sqlstate, const char *expected);
extern int	pgps_skip_entry(const PgpsDocument *doc, int i);

/* detect.c: which dialect is a document in? */
extern const PgpsDialect *pgps_find_dialect(const PgpsDocument *doc,
											const char *name);
extern const PgpsWordRow *pgps_find_row(const PgpsDialect *dialect,
										const PgpsEntry *entry);
extern void pgps_show_key(const PgpsDocument *doc, const PgpsEntry *entry,
						  char *shown);
pg_noreturn extern void pgps_raise_unknown_dialect(const char *name);
pg_noreturn extern void pgps_raise_unknown(const PgpsDocument *doc);

#endif							/* PGPS_PARSER_H */
