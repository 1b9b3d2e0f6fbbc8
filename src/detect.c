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
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "detect.h"

#define MAX_KEYS_SHOWN 20		/* in an error message */

/* The first row of a key; NULL when the dialect does not know it. */
const PgpsDialectKey *
pgps_find_key(const PgpsDialect *dialect, const PgpsEntry *entry)
{
	const PgpsDialectKey *k;
	const char *leaf = entry->folded + entry->leaf;

	if (entry->folded[0] == '\0')
		return NULL;
	for (k = dialect->keys; k->key != NULL; k++)
	{
		/* keys of the table begin with a letter: most differ there */
		char		first = k->key[0] | 0x20;

		if ((first == entry->folded[0] &&
			 pgps_same_key(entry->folded, k->key)) ||
			(dialect->nested && entry->leaf > 0 && first == leaf[0] &&
			 pgps_same_key(leaf, k->key)))
			return k;
	}
	return NULL;
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

/* How each key of the document begins; see pgps_beginning() */
static uint64 *
beginnings(const PgpsDocument *doc)
{
	uint64	   *begins = palloc(Max(doc->nentries, 1) * sizeof(uint64));
	int			i;

	for (i = 0; i < doc->nentries; i++)
	{
		const char *folded = doc->entries[i].folded;
		const char *leaf = folded + doc->entries[i].leaf;

		begins[i] = pgps_beginning(folded, folded + Min(strlen(folded), 3));
		if (leaf != folded)
			begins[i] |= pgps_beginning(leaf, leaf + Min(strlen(leaf), 3));
	}
	return begins;
}

/* Is a key, or one that fits a pattern, in the document? */
static bool
has_key(const PgpsDocument *doc, const uint64 *begins, const char *pattern,
		bool nested)
{
	const char *end;
	int			i;

	for (;; pattern = end + 1)
	{
		uint64		bit;

		end = pattern + strcspn(pattern, "|");
		bit = pgps_beginning(pattern, end);
		for (i = 0; i < doc->nentries; i++)
		{
			const PgpsEntry *entry = &doc->entries[i];

			if (bit != 0 && (begins[i] & bit) == 0)
				continue;
			if (pgps_matches(entry, pattern, end, false) ||
				(nested && entry->leaf > 0 &&
				 pgps_matches(entry, pattern, end, true)))
				return true;
		}
		if (*end == '\0')
			return false;
	}
}

/*
 * How the first detected_by key of each dialect may begin, in the order of the
 * table; all bits when it is open.  Made once in a process.
 */
static const uint64 *
dialect_beginnings(void)
{
	static uint64 *begins = NULL;
	uint64	   *made;
	int			n = 0,
				i;

	if (begins != NULL)
		return begins;
	while (pgps_dialects[n] != NULL)
		n++;
	made = MemoryContextAllocZero(TopMemoryContext, n * sizeof(uint64));
	for (i = 0; i < n; i++)
	{
		const char *p = pgps_dialects[i]->detected_by[0];

		while (p != NULL)
		{
			const char *end = p + strcspn(p, "|");
			uint64		bit = pgps_beginning(p, end);

			made[i] |= bit != 0 ? bit : PG_UINT64_MAX;
			p = *end != '\0' ? end + 1 : NULL;
		}
	}
	begins = made;
	return begins;
}

static bool
is_detected(const PgpsDocument *doc, const PgpsDialect *dialect,
			const uint64 *begins)
{
	int			i;

	for (i = 0; i < PGPS_DETECT_KEYS && dialect->detected_by[i] != NULL; i++)
	{
		if (!has_key(doc, begins, dialect->detected_by[i], dialect->nested))
			return false;
	}
	return i > 0;
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
			pgps_find_key(dialect, &doc->entries[i]) != NULL)
			n++;
	}
	return n;
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
	const char *near_key = "checked_out";
	const char *near_dialect = "native";
	int			best = INT_MAX;
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
			{
				int			distance;

				distance = varstr_levenshtein_less_equal(clean, strlen(clean),
														 k->key, strlen(k->key),
														 1, 1, 1,
														 Min(best, 1000) - 1,
														 true);
				if (distance < best)
				{
					best = distance;
					near_key = k->key;
					near_dialect = (*d)->name;
				}
			}
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
					 near_key, near_dialect)));
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

/*
 * The dialect of that name, or the one that is detected when the name is
 * NULL.  NULL when there is none.
 */
const PgpsDialect *
pgps_find_dialect(const PgpsDocument *doc, const char *name)
{
	const PgpsDialect *const *d;
	uint64	   *begins = beginnings(doc);

	const uint64 *dialect_begins = dialect_beginnings();
	uint64		all = 0;
	int			i;

	for (i = 0; i < doc->nentries; i++)
		all |= begins[i];
	for (d = pgps_dialects; *d != NULL; d++)
	{
		if (name != NULL ? strcmp(name, (*d)->name) == 0 :
			((all & dialect_begins[d - pgps_dialects]) != 0 &&
			 is_detected(doc, *d, begins)))
			return *d;
	}
	return name != NULL ? NULL : nearest_dialect(doc);
}
