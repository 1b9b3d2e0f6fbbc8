/*-------------------------------------------------------------------------
 *
 * document.h
 *	  The keys of one JSON document, whatever its shape.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_DOCUMENT_H
#define PGPS_DOCUMENT_H

#include "utils/jsonb.h"

#include "dialects/words.h"

/* one key; those of inner objects follow their parent */
typedef struct PgpsEntry
{
	const char *key;			/* as written, not ended by NUL */
	int			keylen;
	int			parent;			/* index; -1 = none */
	bool		container;		/* its own keys may follow */
	PgpsCommonKey common;
	int			leaf;			/* where its own part begins in "folded" */
	char		folded[PGPS_KEY_LEN];	/* its path, in lower case, letters
										 * and digits only; empty = too long */
	const PgpsWord *word;		/* of the path; NULL = in no dialect */
	const PgpsWord *leaf_word;	/* of its own part, if there is a path */
	JsonbValue	value;
} PgpsEntry;

typedef struct PgpsDocument
{
	int			nentries;
	int			room;
	PgpsEntry  *entries;
	bool		too_many;		/* there are more keys than we look at */
} PgpsDocument;

extern void pgps_document_read(PgpsDocument *doc, JsonbContainer *container);
extern bool pgps_is_list_of_pairs(JsonbContainer *container);

#endif							/* PGPS_DOCUMENT_H */
