/*-------------------------------------------------------------------------
 *
 * detect.c
 *	  Which dialect is a document in?
 *
 * The one that its key "dialect" names.  Else the first whose detected_by keys
 * are all there, if one of them is no word that many libraries have.  Else the
 * one that knows most keys that no other does.  Else it is of a library that we
 * do not know: generic, if its words say how many are lent.  What is known by
 * common words alone is only taken after that, and our own words last.
 *
 * Whether one pool is full must not hang on a guess: where the keys that only
 * one dialect has do not say how many are lent, and generic's do, these win.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/varlena.h"

#include "base/text.h"
#include "dialects/dialect.h"
#include "dialects/document.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "dialects/parser.h"
#include "dialects/words.h"

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

/* A key as it was written, cleaned, after the keys that it is inside of */
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

/* the known key that is most similar to a key of an unknown document */
typedef struct Nearest
{
	const char *key;
	const char *dialect;
	int			distance;
} Nearest;

/* How many letters differ, or something not below "limit" */
static int
letters_between(const char *seen, const char *known, int limit)
{
	return varstr_levenshtein_less_equal(seen, strlen(seen),
										 known, strlen(known), 1, 1, 1,
										 Min(limit, 1000) - 1, true);
}

static void
note_nearest(Nearest *nearest, const char *seen, const PgpsDialect *dialect,
			 const char *key)
{
	int			distance = letters_between(seen, key, nearest->distance);

	if (distance < nearest->distance)
	{
		nearest->key = key;
		nearest->dialect = dialect->name;
		nearest->distance = distance;
	}
}

/* Raise for the name of a dialect that there is none of. */
void
pgps_raise_unknown_dialect(const char *name)
{
	const PgpsDialect *const *d;
	const char *nearest = NULL;
	int			distance = INT_MAX;

	for (d = pgps_dialects; *d != NULL; d++)
	{
		int			n = letters_between(name, (*d)->name, distance);

		if (n < distance)
		{
			nearest = (*d)->name;
			distance = n;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("pool statistics have an unknown dialect: \"%s\"", name),
			 errhint("The nearest one is \"%s\"; see the view pgpool_stats.dialects.",
					 nearest)));
}

/*
 * Raise for a document that tells no figure, with the keys seen, the most
 * similar known one, and those of our own dialect.
 */
void
pgps_raise_unknown(const PgpsDocument *doc)
{
	StringInfoData seen;
	StringInfoData own;
	const PgpsDialect *const *d;
	const PgpsDialectKey *k;
	const char *const *ignored;
	Nearest		nearest = {"checked_out", "native", INT_MAX};
	int			i;

	initStringInfo(&own);
	for (k = pgps_native.keys; k->key != NULL; k++)
		appendStringInfo(&own, "%s%s", own.len > 0 ? ", " : "", k->key);

	initStringInfo(&seen);
	for (i = 0; i < Min(doc->nentries, MAX_KEYS_SHOWN); i++)
	{
		char		clean[PGPS_KEY_LEN];

		pgps_show_key(doc, &doc->entries[i], clean);
		appendStringInfo(&seen, "%s\"%s\"", i > 0 ? ", " : "", clean);

		/* of equally near ones our own */
		for (k = pgps_native.keys; k->key != NULL; k++)
			note_nearest(&nearest, clean, &pgps_native, k->key);
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
			 errhint("The nearest known key is \"%s\" of dialect \"%s\". Those of dialect \"%s\" are %s.",
					 nearest.key, nearest.dialect, pgps_native.name, own.data)));
}

/* What the keys of a document would tell in a dialect */
typedef struct Survey
{
	int			figures;		/* keys that report one */
	int			unique;			/* of those, that no other library has */
	uint64		fields;			/* what they report */
} Survey;

static bool
reports_figure(const PgpsDialect *dialect, const PgpsWord *word)
{
	const PgpsWordRow *row = row_of_word(dialect, word);

	return row != NULL && row->key != NULL;
}

/* Is it a word of ours, or one that many libraries have? */
static bool
is_common_word(const PgpsWord *word)
{
	return reports_figure(&pgps_generic, word) ||
		reports_figure(&pgps_native, word);
}

static void
survey_key(Survey *survey, const PgpsWordRow *row)
{
	const PgpsDialectKey *k = row->key;

	survey->figures++;
	do
		survey->fields |= PGPS_BIT(k->field);
	while (k[1].key != NULL && strcmp(k[1].key, k->key) == 0 && k++);
}

/*
 * Note the dialects that know a key by this word.  Those of something else than
 * a pool here are not guessed, so what they know is not looked at.  Returns how
 * many do; "last" is one of them.
 */
static int
survey_word(Survey *surveys, const PgpsEntry *entry, const PgpsWord *word,
			int *last)
{
	const PgpsWordRow *row;
	int			knowing = 0;

	for (row = word != NULL ? word->rows : NULL; row != NULL; row = row->next)
	{
		if (row->key == NULL || row->dialect->elsewhere ||
			pgps_find_row(row->dialect, entry) != row)
			continue;
		survey_key(&surveys[row->number], row);
		*last = row->number;
		knowing++;
	}
	return knowing;
}

static void
survey_document(Survey *surveys, const PgpsDocument *doc)
{
	int			i;

	memset(surveys, 0, PGPS_MAX_DIALECTS * sizeof(Survey));
	for (i = 0; i < doc->nentries; i++)
	{
		const PgpsEntry *entry = &doc->entries[i];
		int			last = 0;

		CHECK_FOR_INTERRUPTS();
		if (entry->common == PGPS_COMMON_NONE &&
			survey_word(surveys, entry, entry->word, &last) +
			survey_word(surveys, entry, entry->leaf_word, &last) == 1 &&
			!is_common_word(entry->word))
			surveys[last].unique++;
	}
}

/* Do these figures say how many are lent? */
static bool
tells_lent(uint64 fields)
{
	const uint64 lent = PGPS_BIT(PGPS_CHECKED_OUT) | PGPS_BIT(PGPS_SAYS_ACTIVE);
	const uint64 open = PGPS_BIT(PGPS_OPEN) | PGPS_BIT(PGPS_SAYS_SIZE) |
		PGPS_BIT(PGPS_SAYS_TOTAL);
	const uint64 idle = PGPS_BIT(PGPS_CHECKED_IN) | PGPS_BIT(PGPS_SAYS_IDLE) |
		PGPS_BIT(PGPS_SAYS_AVAILABLE);

	return (fields & lent) || ((fields & open) && (fields & idle));
}

/*
 * The dialect of a document that none is detected for by keys of its own;
 * "common" is one that all keys are there for, but which are common words.
 */
static const PgpsDialect *
nearest_dialect(const PgpsDocument *doc, const PgpsDialect *common)
{
	Survey		surveys[PGPS_MAX_DIALECTS];
	Survey	   *best = NULL;
	Survey		own,
				generic;
	int			d;
	bool		tie = false;

	survey_document(surveys, doc);
	memset(&own, 0, sizeof(own));
	memset(&generic, 0, sizeof(generic));
	for (d = 0; pgps_dialects[d] != NULL; d++)
	{
		if (pgps_dialects[d] == &pgps_native)
			own = surveys[d];
		else if (pgps_dialects[d] == &pgps_generic)
			generic = surveys[d];
		else if (surveys[d].unique > 0)
		{
			if (best == NULL || surveys[d].unique > best->unique)
			{
				best = &surveys[d];
				tie = false;
			}
			else if (surveys[d].unique == best->unique)
				tie = true;
		}
	}

	/* generic has synonyms of our own words, which count as well */
	if (best != NULL && !tie && tells_lent(best->fields))
		return pgps_dialects[best - surveys];
	if (generic.figures > 0 && tells_lent(generic.fields | own.fields))
		return &pgps_generic;
	if (best != NULL && !tie)
		return pgps_dialects[best - surveys];
	if (common != NULL)
		return common;
	return own.figures > 0 ? &pgps_native : NULL;
}

/* clues that were seen for a dialect */
typedef struct Clues
{
	uint8		seen;			/* a bit for each of detected_by */
	bool		own;			/* one of them is no common word */
} Clues;

/*
 * Note the dialects that an entry is a clue for, by its path or its own part.
 */
static void
note_clues(Clues *clues, const PgpsEntry *entry, const PgpsWord *word)
{
	const PgpsClue *clue;
	bool		common;

	if (word == NULL)
		return;
	common = is_common_word(word);
	for (clue = word->clues; clue != NULL; clue = clue->next)
	{
		if (word != entry->word && !pgps_dialects[clue->dialect]->nested)
			continue;
		if (clue->written != NULL &&
			(entry->parent != -1 || entry->keylen != clue->length ||
			 memcmp(entry->key, clue->written, clue->length) != 0))
			continue;
		clues[clue->dialect].seen |= 1 << clue->n;
		clues[clue->dialect].own |= clue->written != NULL || !common;
	}
}

static void
note_open_clues(Clues *clues, const PgpsEntry *entry)
{
	const PgpsClue *clue;

	for (clue = pgps_open_clues; clue != NULL; clue = clue->next)
	{
		if (entry->folded[0] == clue->written[0] &&
			strncmp(entry->folded, clue->written, clue->length) == 0)
		{
			clues[clue->dialect].seen |= 1 << clue->n;
			clues[clue->dialect].own = true;
		}
	}
}

/*
 * The first dialect whose detected_by keys are all there, or NULL; "common" is
 * the first of which they are all common words.
 */
static const PgpsDialect *
detected_dialect(const PgpsDocument *doc, const PgpsDialect **common)
{
	Clues		clues[PGPS_MAX_DIALECTS];
	int			d,
				i;

	*common = NULL;
	memset(clues, 0, sizeof(clues));
	for (i = 0; i < doc->nentries; i++)
	{
		const PgpsEntry *entry = &doc->entries[i];

		note_clues(clues, entry, entry->word);
		note_clues(clues, entry, entry->leaf_word);
		note_open_clues(clues, entry);
	}
	for (d = 0; pgps_dialects[d] != NULL; d++)
	{
		const char *const *keys = pgps_dialects[d]->detected_by;

		if (clues[d].seen == 0)
			continue;
		for (i = 0; i < PGPS_DETECT_KEYS && keys[i] != NULL; i++)
			;
		if (clues[d].seen != (1 << i) - 1)
			continue;
		if (clues[d].own)
			return pgps_dialects[d];
		if (*common == NULL && !pgps_dialects[d]->elsewhere)
			*common = pgps_dialects[d];
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
	const PgpsDialect *common;

	if (name == NULL)
	{
		detected = detected_dialect(doc, &common);
		return detected != NULL ? detected : nearest_dialect(doc, common);
	}
	for (d = pgps_dialects; *d != NULL; d++)
	{
		if (strcmp(name, (*d)->name) == 0)
			return *d;
	}
	return NULL;
}
