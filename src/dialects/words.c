/*-------------------------------------------------------------------------
 *
 * words.c
 *	  Who knows a key?  All words of all dialects, by hash.
 *
 * A word is a key of which case and punctuation do not count: AcquireCount,
 * acquire_count and "acquire count" are one.  The tables of the dialects are
 * turned around here, so that a report looks up each of its keys once,
 * however many dialects there are.
 *
 * Made while the postmaster loads us, only read from then on.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "dialects/words.h"

static const char *const common_keys[] = {
	"host", "pid", "instance", "app_version", "dialect",
	"every", "hosts", "checked_out_pids", "idle_pids"
};

StaticAssertDecl(lengthof(common_keys) == PGPS_COMMON_NONE, "common keys");

#define SH_PREFIX words
#define SH_ELEMENT_TYPE PgpsWord
#define SH_KEY_TYPE const char *
#define SH_KEY folded
#define SH_HASH_KEY(table, key) \
	hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static words_hash * words = NULL;

const PgpsClue *pgps_open_clues = NULL;

/* A character without case; 0 if it is punctuation */
static inline char
fold_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return c;
	if (c >= 'A' && c <= 'Z')
		return c + ('a' - 'A');
	return c >= '0' && c <= '9' ? c : '\0';
}

/*
 * Append a key to a folded key of that length.  False if it gets too long to
 * be in any dialect.
 */
bool
pgps_fold(char *folded, int *length, const char *key, int keylen)
{
	int			n = *length;
	int			i;

	for (i = 0; i < keylen; i++)
	{
		char		c = fold_char(key[i]);

		if (c == '\0')
			continue;
		if (n == PGPS_KEY_LEN - 1)
			return false;
		folded[n++] = c;
	}
	folded[n] = '\0';
	*length = n;
	return true;
}

/* Is this key of a table, when folded, the folded one? */
bool
pgps_same_key(const char *folded, const char *key)
{
	for (; *key != '\0'; key++)
	{
		char		c = fold_char(*key);

		if (c != '\0' && *folded++ != c)
			return false;
	}
	return *folded == '\0';
}

/* The word of a folded key; NULL when it is in no dialect. */
const PgpsWord *
pgps_find_word(const char *folded)
{
	return words_lookup(words, folded);
}

/* Building the table of words */

static PgpsWord *
add_word(const char *key, int keylen)
{
	char		folded[PGPS_KEY_LEN];
	int			length = 0;
	PgpsWord   *word;
	bool		found;

	if (!pgps_fold(folded, &length, key, keylen))
		elog(ERROR, "word \"%s\" of a dialect is too long", key);
	word = words_lookup(words, folded);
	if (word != NULL)
		return word;
	word = words_insert(words, pstrdup(folded), &found);
	word->common = PGPS_COMMON_NONE;
	word->rows = NULL;
	word->clues = NULL;
	return word;
}

/*
 * Add a row of a dialect.  Rows of one word stand together: the first is kept.
 */
static void
add_row(int number, const char *text, const PgpsDialectKey *key)
{
	const PgpsDialect *dialect = pgps_dialects[number];
	PgpsWord   *word = add_word(text, strlen(text));
	PgpsWordRow *row;

	if (word->rows != NULL && word->rows->dialect == dialect)
		return;
	row = palloc(sizeof(PgpsWordRow));
	row->dialect = dialect;
	row->number = number;
	row->key = key;
	row->next = word->rows;
	word->rows = row;
}

/* One alternative of a pattern of detected_by; see dialect.h for patterns. */
static void
add_clue(int dialect, int n, const char *pattern, int length)
{
	PgpsClue   *clue = palloc0(sizeof(PgpsClue));
	PgpsWord   *word;

	clue->dialect = dialect;
	clue->n = n;
	if (pattern[length - 1] == '*')
	{
		char	   *folded = palloc(PGPS_KEY_LEN);

		if (!pgps_fold(folded, &clue->length, pattern, length))
			elog(ERROR, "pattern \"%s\" of a dialect is too long", pattern);
		clue->written = folded;
		clue->next = pgps_open_clues;
		pgps_open_clues = clue;
		return;
	}
	if (pattern[0] == '=')
	{
		clue->written = pattern + 1;
		clue->length = length - 1;
	}
	word = add_word(pattern, length);
	clue->next = word->clues;
	word->clues = clue;
}

/* Called while the server loads its libraries; all its children inherit it. */
void
pgps_words_init(void)
{
	MemoryContext old;
	const PgpsDialectKey *k;
	const char *const *ignored;
	const char *p;
	int			d,
				i;

	old = MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext,
													  "pgpool_stats words",
													  ALLOCSET_DEFAULT_SIZES));
	words = words_create(CurrentMemoryContext, 512, NULL);
	for (i = 0; i < PGPS_COMMON_NONE; i++)
		add_word(common_keys[i], strlen(common_keys[i]))->common = i;
	for (d = 0; pgps_dialects[d] != NULL; d++)
	{
		const PgpsDialect *dialect = pgps_dialects[d];

		for (k = dialect->keys; k->key != NULL; k++)
			add_row(d, k->key, k);
		if (k - dialect->keys > PGPS_MAX_KEYS)
			elog(ERROR, "dialect \"%s\" has too many keys", dialect->name);
		for (ignored = dialect->ignored; ignored && *ignored; ignored++)
			add_row(d, *ignored, NULL);
		for (i = 0; i < PGPS_DETECT_KEYS; i++)
		{
			for (p = dialect->detected_by[i]; p != NULL;)
			{
				int			length = strcspn(p, "|");

				add_clue(d, i, p, length);
				p = p[length] == '|' ? p + length + 1 : NULL;
			}
		}
	}
	MemoryContextSwitchTo(old);
}
