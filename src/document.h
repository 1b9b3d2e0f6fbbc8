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

#define PGPS_KEY_LEN 64			/* longer keys belong to no dialect */

/* keys that may stand beside any library's own */
typedef enum PgpsCommonKey
{
	PGPS_COMMON_HOST,
	PGPS_COMMON_PID,
	PGPS_COMMON_INSTANCE,
	PGPS_COMMON_APP_VERSION,
	PGPS_COMMON_DIALECT,
	PGPS_COMMON_NONE
} PgpsCommonKey;

/* one key; those of inner objects follow their parent */
typedef struct PgpsEntry
{
	const char *key;			/* as written, not ended by NUL */
	int			keylen;
	int			parent;			/* index; -1 = none */
	bool		container;		/* its own keys may follow */
	PgpsCommonKey common;
	int			leaf;			/* where its own part begins in ... */
	char		folded[PGPS_KEY_LEN];	/* ... the path: lower case, letters
										 * and digits only; empty = too long */
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
extern uint64 pgps_beginning(const char *p, const char *end);
extern bool pgps_same_key(const char *folded, const char *key);
extern bool pgps_matches(const PgpsEntry *entry, const char *p,
						 const char *end, bool nested);

#endif							/* PGPS_DOCUMENT_H */
