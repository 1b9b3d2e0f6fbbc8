/*-------------------------------------------------------------------------
 *
 * words.h
 *	  Who knows a key?  All words of all dialects, by hash.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_WORDS_H
#define PGPS_WORDS_H

#include "dialects/dialect.h"

#define PGPS_KEY_LEN 64			/* longer keys belong to no dialect */

/* keys that may stand beside any library's own */
typedef enum PgpsCommonKey
{
	PGPS_COMMON_HOST,
	PGPS_COMMON_PID,
	PGPS_COMMON_INSTANCE,
	PGPS_COMMON_APP_VERSION,
	PGPS_COMMON_DIALECT,
	PGPS_COMMON_EVERY,
	PGPS_COMMON_HOSTS,
	PGPS_COMMON_LENT_PIDS,
	PGPS_COMMON_IDLE_PIDS,
	PGPS_COMMON_NONE
} PgpsCommonKey;

/* a dialect that knows a word */
typedef struct PgpsWordRow
{
	struct PgpsWordRow *next;
	const PgpsDialect *dialect;
	int			number;			/* its index in pgps_dialects */
	const PgpsDialectKey *key;	/* the first of its rows; NULL = ignored */
} PgpsWordRow;

/* a pattern of detected_by that a word, or any longer one, matches */
typedef struct PgpsClue
{
	const struct PgpsClue *next;
	int			dialect;		/* index in pgps_dialects */
	int			n;				/* index in its detected_by */
	const char *written;		/* how it must be written, or begin; NULL =
								 * any spelling */
	int			length;			/* of written */
} PgpsClue;

typedef struct PgpsWord
{
	const char *folded;
	PgpsCommonKey common;
	PgpsWordRow *rows;
	const PgpsClue *clues;
	char		status;			/* used by the hash table */
} PgpsWord;

/* clues of every word that begins with their text */
extern const PgpsClue *pgps_open_clues;

extern void pgps_words_init(void);
extern const PgpsWord *pgps_find_word(const char *folded);
extern bool pgps_fold(char *folded, int *length, const char *key, int keylen);
extern bool pgps_same_key(const char *folded, const char *key);

#endif							/* PGPS_WORDS_H */
