/*-------------------------------------------------------------------------
 *
 * detect.c
 *	  Which dialect is a document in?
 *
 * The first dialect of the table whose detected_by keys are all there; when
 * none is, the one that knows most of the keys.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "base/text.h"
#include "dialects/detect.h"

#define MAX_KEYS_SHOWN 20		/* in an error message */

static const PgpsWordRow *
row_of_word(const PgpsDialect *dialect, const PgpsWord *word)
{
	const PgpsWordRow *row = word != NULL ? word->rows : NULL;

	while (row != NULL && row->dialect != dialect)
		row = row->next;
	return row;
}

/* What a dialect makes of a key; NULL when it does not know it. */
const PgpsWordRow *
pgps_find_row(const PgpsDialect *dialect, const PgpsEntry *entry)
{
	const PgpsWordRow *row = row_of_word(dialect, entry->word);

	if (row == NULL && dialect->nested)
		row = row_of_word(dialect, entry->leaf_word);
	return row;
}

/* A key as it was written, clean and with those it is in */
void
pgps_show_key(const PgpsDocument *doc, const PgpsEntry *entry, char *shown)
{
	char		clean[PGPS_KEY_LEN];
	char	   *text = pnstrdup(entry->key, Min(entry->keylen, PGPS_KEY_LEN));

	pgps_clean_text(clean, sizeof(clean), text);
	pfree(text);
	if (entry->parent >= 0)
	{
		pgps_show_key(doc, &doc->entries[entry->parent], shown);
		strlcat(shown, ".", PGPS_KEY_LEN);
		strlcat(shown, clean, PGPS_KEY_LEN);
	}
	else
		strlcpy(shown, clean[0] != '\0' ? clean : "(empty)", PGPS_KEY_LEN);
}

int
pgps_known_keys(const PgpsDocument *doc, const PgpsDialect *dialect)
{
	int			i,
				n = 0;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < doc->nentries; i++)
	{
		if (doc->entries[i].common == PGPS_COMMON_NONE &&
			pgps_find_row(dialect, &doc->entries[i]) != NULL)
			n++;
	}
	return n;
}

/* the known key that is most like one of a document that nobody knows */
typedef struct Nearest
{
	const char *key;
	const char *dialect;
	int			distance;
} Nearest;

static void
note_nearest(Nearest *nearest, const char *seen, const PgpsDialect *dialect,
			 const char *key)
{
	int			distance = varstr_levenshtein_less_equal(seen, strlen(seen),
														 key, strlen(key),
														 1, 1, 1,
														 Min(nearest->distance, 1000) - 1,
														 true);

	if (distance < nearest->distance)
	{
		nearest->key = key;
		nearest->dialect = dialect->name;
		nearest->distance = distance;
	}
}

/*
 * Raise for a document that nobody knows, with the keys seen and the nearest
 * one that we do know.
 */
void
pgps_raise_unknown(const PgpsDocument *doc)
{
	StringInfoData seen;
	const PgpsDialect *const *d;
	const PgpsDialectKey *k;
	const char *const *ignored;
	Nearest		nearest = {"checked_out", "native", INT_MAX};
	int			i;

	initStringInfo(&seen);
	for (i = 0; i < Min(doc->nentries, MAX_KEYS_SHOWN); i++)
	{
		char		clean[PGPS_KEY_LEN];

		pgps_show_key(doc, &doc->entries[i], clean);
		appendStringInfo(&seen, "%s\"%s\"", i > 0 ? ", " : "", clean);

		for (d = pgps_dialects; *d != NULL; d++)
		{
			for (k = (*d)->keys; k->key != NULL; k++)
				note_nearest(&nearest, clean, *d, k->key);
			for (ignored = (*d)->ignored; ignored && *ignored; ignored++)
				note_nearest(&nearest, clean, *d, *ignored);
		}
	}
	if (doc->nentries > MAX_KEYS_SHOWN)
		appendStringInfoString(&seen, ", ...");

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("pool statistics have no key that is known"),
			 doc->nentries > 0 ?
			 errdetail("Keys seen: %s.", seen.data) :
			 errdetail("The object has no keys."),
			 errhint("The nearest known key is \"%s\" of dialect \"%s\".",
					 nearest.key, nearest.dialect)));
}

/* How many keys could be known to a dialect? */
static int
own_keys(const PgpsDocument *doc)
{
	int			i,
				n = 0;

	for (i = 0; i < doc->nentries; i++)
	{
		if (doc->entries[i].common == PGPS_COMMON_NONE)
			n++;
	}
	return n;
}

/* The dialect that knows most of the keys; NULL when none knows any. */
static const PgpsDialect *
nearest_dialect(const PgpsDocument *doc)
{
	const PgpsDialect *const *d;
	const PgpsDialect *best = NULL;
	int			best_known = pgps_known_keys(doc, &pgps_native);

	/* its words are ours, so it wins a tie */
	if (best_known > 0)
		best = &pgps_native;
	if (best_known == own_keys(doc))
		return best;
	for (d = pgps_dialects; *d != &pgps_native; d++)
	{
		int			n = pgps_known_keys(doc, *d);

		if (n > best_known || (n > 0 && n == best_known && best != &pgps_native))
		{
			best = *d;
			best_known = n;
		}
	}
	return best;
}

/* Which dialects does an entry speak for, by its path or its own part? */
static void
note_clues(uint8 *seen, const PgpsEntry *entry, const PgpsWord *word)
{
	const PgpsClue *clue;

	if (word == NULL)
		return;
	for (clue = word->clues; clue != NULL; clue = clue->next)
	{
		if (word != entry->word && !pgps_dialects[clue->dialect]->nested)
			continue;
		if (clue->text != NULL &&
			(entry->parent != -1 || entry->keylen != clue->length ||
			 memcmp(entry->key, clue->text, clue->length) != 0))
			continue;
		seen[clue->dialect] |= 1 << clue->n;
	}
}

static void
note_open_clues(uint8 *seen, const PgpsEntry *entry)
{
	const PgpsClue *clue;

	for (clue = pgps_open_clues; clue != NULL; clue = clue->next)
	{
		if (entry->folded[0] == clue->text[0] &&
			strncmp(entry->folded, clue->text, clue->length) == 0)
			seen[clue->dialect] |= 1 << clue->n;
	}
}

/* The first dialect whose detected_by keys are all there, or NULL */
static const PgpsDialect *
detected_dialect(const PgpsDocument *doc)
{
	uint8		seen[PGPS_MAX_DIALECTS] = {0};	/* of detected_by */
	int			d,
				i;

	for (i = 0; i < doc->nentries; i++)
	{
		const PgpsEntry *entry = &doc->entries[i];

		note_clues(seen, entry, entry->word);
		note_clues(seen, entry, entry->leaf_word);
		note_open_clues(seen, entry);
	}
	for (d = 0; pgps_dialects[d] != NULL; d++)
	{
		const char *const *keys = pgps_dialects[d]->detected_by;

		if (seen[d] == 0)
			continue;
		for (i = 0; i < PGPS_DETECT_KEYS && keys[i] != NULL; i++)
			;
		if (seen[d] == (1 << i) - 1)
			return pgps_dialects[d];
	}
	return NULL;
}

/*
 * The dialect of that name, or the one that is detected when the name is
 * NULL.  NULL when there is none.
 */
const PgpsDialect *
pgps_find_dialect(const PgpsDocument *doc, const char *name)
{
	const PgpsDialect *const *d;
	const PgpsDialect *detected;

	if (name == NULL)
	{
		detected = detected_dialect(doc);
		return detected != NULL ? detected : nearest_dialect(doc);
	}
	for (d = pgps_dialects; *d != NULL; d++)
	{
		if (strcmp(name, (*d)->name) == 0)
			return *d;
	}
	return NULL;
}
