/*-------------------------------------------------------------------------
 *
 * dialect.c
 *	  From the JSON statistics of a pool library to our fields.
 *
 * The words of the libraries are data (dialect_table.c), their values are
 * converted in figures.c; this is the mechanism around: read the keys, detect
 * the dialect, complain.
 *
 * Two kinds of mistakes are told apart.  A document that is no statistics at
 * all is a wrong argument and raises.  A value that cannot be used in a
 * document that is understood leaves its field unknown and is listed, because
 * a newer client library must not roll back somebody's transaction; only
 * strict mode raises for it.
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

#include "dialect.h"
#include "figures.h"

#define MAX_ROWS 1000			/* documents in one report */
#define MAX_KEYS_SHOWN 20		/* in an error message */
#define KEY_LEN 64				/* longer keys belong to no dialect */

/* keys that may stand beside any library's own */
typedef enum CommonKey
{
	COMMON_HOST,
	COMMON_PID,
	COMMON_INSTANCE,
	COMMON_APP_VERSION,
	COMMON_DIALECT,
	COMMON_NONE
} CommonKey;

static const char *const common_keys[] = {
	"host", "pid", "instance", "app_version", "dialect"
};

/* one key of a document */
typedef struct Entry
{
	char	   *key;			/* as written */
	char		folded[KEY_LEN];	/* lower case, letters and digits only */
	CommonKey	common;
	JsonbValue	value;
} Entry;

typedef struct Document
{
	int			nentries;
	Entry	   *entries;
	bool		strict;
	PgpsStats  *stats;
} Document;

/*
 * What is left of a key when case and punctuation do not count.  Empty when
 * it is too long to be anybody's.
 */
static void
fold_key(char *folded, const char *key)
{
	int			n = 0;

	for (; *key != '\0'; key++)
	{
		char		c = *key;

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			continue;
		if (n == KEY_LEN - 1)
		{
			n = 0;
			break;
		}
		folded[n++] = c;
	}
	folded[n] = '\0';
}

/* Does a key of the table, folded on the fly, equal this one? */
static bool
same_key(const char *folded, const char *table_key)
{
	for (; *table_key != '\0'; table_key++)
	{
		if (*table_key == '_')
			continue;
		if (*folded++ != *table_key)
			return false;
	}
	return *folded == '\0';
}

static const PgpsDialectKey *
find_key(const PgpsDialect *dialect, const Entry *entry)
{
	const PgpsDialectKey *k;

	for (k = dialect->keys; k->key != NULL; k++)
	{
		if (same_key(entry->folded, k->key))
			return k;
	}
	return NULL;
}

/*
 * A key or value was not understood: list the key, or raise in strict mode.
 */
static void
not_understood(Document *doc, const char *key, int sqlstate,
			   const char *expected)
{
	PgpsStats  *stats = doc->stats;
	char		clean[KEY_LEN];

	pgps_clean_text(clean, sizeof(clean), key[0] != '\0' ? key : "(empty)");
	if (doc->strict)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("invalid key \"%s\" in %s pool statistics", clean,
						stats->dialect),
				 errdetail("Expected %s.", expected),
				 errhint("Without pgpool_stats.strict_reports the key is ignored and listed in pgpool_stats.instances.unmapped.")));

	stats->nunmapped++;
	if (stats->unmapped_used + strlen(clean) + 1 <= PGPS_UNMAPPED_LEN)
	{
		strcpy(stats->unmapped + stats->unmapped_used, clean);
		stats->unmapped_used += strlen(clean) + 1;
	}
}

/* Read all keys of a JSON object */
static void
read_entries(Document *doc, JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;
	int			i;

	doc->entries = palloc(Max(JsonContainerSize(container), 1) * sizeof(Entry));
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		Entry	   *entry = &doc->entries[doc->nentries];

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			entry->key = pnstrdup(v.val.string.val, v.val.string.len);
			fold_key(entry->folded, entry->key);
			for (i = 0; i < COMMON_NONE; i++)
			{
				if (same_key(entry->folded, common_keys[i]))
					break;
			}
			entry->common = i;
		}
		else if (token == WJB_VALUE)
		{
			entry->value = v;
			doc->nentries++;
		}
	}
}

/* Text of a common key into a buffer; keeps its end when it is too long. */
static void
read_text(Document *doc, const Entry *entry, char *dest, Size size)
{
	if (entry->value.type == jbvNull)
		return;
	if (entry->value.type == jbvString)
	{
		char	   *text = pnstrdup(entry->value.val.string.val,
									entry->value.val.string.len);

		pgps_clean_tail(dest, size, text);
	}
	else if (entry->value.type == jbvNumeric)
		pgps_clean_tail(dest, size, pgps_number_text(&entry->value));
	else
		not_understood(doc, entry->key, ERRCODE_INVALID_PARAMETER_VALUE, "text");
}

/* Is a key of the table in the document? */
static bool
has_key(const Document *doc, const char *table_key, bool exact)
{
	int			i;

	for (i = 0; i < doc->nentries; i++)
	{
		if (exact ? strcmp(doc->entries[i].key, table_key) == 0 :
			same_key(doc->entries[i].folded, table_key))
			return true;
	}
	return false;
}

static bool
is_detected(const Document *doc, const PgpsDialect *dialect)
{
	int			i;

	for (i = 0; i < PGPS_DETECT_KEYS && dialect->detected_by[i] != NULL; i++)
	{
		if (!has_key(doc, dialect->detected_by[i], dialect->exact))
			return false;
	}
	return i > 0;
}

static int
known_keys(const Document *doc, const PgpsDialect *dialect)
{
	int			i,
				n = 0;

	for (i = 0; i < doc->nentries; i++)
	{
		if (doc->entries[i].common == COMMON_NONE &&
			find_key(dialect, &doc->entries[i]) != NULL)
			n++;
	}
	return n;
}

/*
 * Raise for a document that nobody knows, with the keys seen and the nearest
 * one that we do know.
 */
static void
raise_unknown(const Document *doc)
{
	StringInfoData seen;
	const PgpsDialect *d;
	const PgpsDialectKey *k;
	const char *near_key = "checked_out";
	const char *near_dialect = "native";
	int			best = INT_MAX;
	int			i;

	initStringInfo(&seen);
	for (i = 0; i < Min(doc->nentries, MAX_KEYS_SHOWN); i++)
	{
		char		clean[KEY_LEN];

		pgps_clean_text(clean, sizeof(clean), doc->entries[i].key);
		appendStringInfo(&seen, "%s\"%s\"", i > 0 ? ", " : "", clean);

		for (d = pgps_dialects; d->name != NULL; d++)
		{
			for (k = d->keys; k->key != NULL; k++)
			{
				int			distance;

				distance = varstr_levenshtein(clean, strlen(clean),
											  k->key, strlen(k->key),
											  1, 1, 1, true);
				if (distance < best)
				{
					best = distance;
					near_key = k->key;
					near_dialect = d->name;
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

/* Which dialect is the document in?  Raises when no dialect knows any key. */
static const PgpsDialect *
choose_dialect(Document *doc)
{
	const PgpsDialect *d;
	const PgpsDialect *best = NULL;
	int			best_known = 0;
	char		forced[PGPS_DIALECT_LEN] = "";
	const Entry *forced_by = NULL;
	int			i;

	for (i = 0; i < doc->nentries; i++)
	{
		if (doc->entries[i].common == COMMON_DIALECT)
		{
			forced_by = &doc->entries[i];
			read_text(doc, forced_by, forced, sizeof(forced));
		}
	}

	for (d = pgps_dialects; d->name != NULL && forced[0] != '\0'; d++)
	{
		if (strcmp(forced, d->name) == 0)
		{
			if (known_keys(doc, d) == 0)
				raise_unknown(doc);
			return d;
		}
	}

	/* native is last and wins a tie: its words are ours */
	for (d = pgps_dialects; d->name != NULL; d++)
	{
		int			n = known_keys(doc, d);

		if (is_detected(doc, d))
		{
			best = d;
			break;
		}
		if (n > 0 && n >= best_known)
		{
			best = d;
			best_known = n;
		}
	}
	if (best == NULL)
		raise_unknown(doc);

	strlcpy(doc->stats->dialect, best->name, PGPS_DIALECT_LEN);
	if (forced[0] != '\0')
		not_understood(doc, forced_by->key, ERRCODE_INVALID_PARAMETER_VALUE,
					   "the name of a dialect");
	return best;
}

static PgpsStats *
parse_object(JsonbContainer *container, bool strict)
{
	PgpsStats  *stats = palloc0(sizeof(PgpsStats));
	Document	doc = {
		.strict = strict,
		.stats = stats,
	};
	PgpsFigures figures = {0};
	PgpsComplaint about_open;
	const PgpsDialect *dialect;
	int			i;

	strcpy(stats->dialect, "native");
	read_entries(&doc, container);
	dialect = choose_dialect(&doc);
	strlcpy(stats->dialect, dialect->name, PGPS_DIALECT_LEN);

	for (i = 0; i < doc.nentries; i++)
	{
		Entry	   *entry = &doc.entries[i];
		const PgpsDialectKey *k;

		switch (entry->common)
		{
			case COMMON_HOST:
				read_text(&doc, entry, stats->host, sizeof(stats->host));
				continue;
			case COMMON_PID:
				read_text(&doc, entry, stats->pid, sizeof(stats->pid));
				continue;
			case COMMON_INSTANCE:
				read_text(&doc, entry, stats->instance, sizeof(stats->instance));
				continue;
			case COMMON_APP_VERSION:
				read_text(&doc, entry, stats->app_version,
						  sizeof(stats->app_version));
				continue;
			case COMMON_DIALECT:
				continue;
			case COMMON_NONE:
				break;
		}

		k = find_key(dialect, entry);
		if (k == NULL)
			not_understood(&doc, entry->key, ERRCODE_INVALID_PARAMETER_VALUE,
						   "a key of this dialect, as in docs/clients.md");
		else
		{
			PgpsComplaint complaint = pgps_read_figure(&figures, k,
													   &entry->value);

			if (complaint.expected != NULL)
				not_understood(&doc, entry->key, complaint.sqlstate,
							   complaint.expected);
		}
	}

	about_open = pgps_work_out(&figures, dialect);
	if (about_open.expected != NULL)
		not_understood(&doc, "open", about_open.sqlstate, about_open.expected);
	pgps_figures_to_values(&stats->values, &figures);
	return stats;
}

/*
 * The text that SQLAlchemy's Pool.status() prints.  Pools without books of
 * their own print only their name.
 */
static PgpsStats *
parse_string(const JsonbValue *value)
{
	PgpsStats  *stats = palloc0(sizeof(PgpsStats));
	char	   *text = pnstrdup(value->val.string.val,
								Min(value->val.string.len, 200));
	int			size,
				in,
				over,
				out;

	strcpy(stats->dialect, "sqlalchemy");
	if (sscanf(text, "Pool size: %d Connections in pool: %d Current Overflow: %d Current Checked out connections: %d",
			   &size, &in, &over, &out) == 4 &&
		size >= 0 && in >= 0 && out >= 0)
	{
		/* max_overflow is not in the text: only size 0 tells the cap */
		pgps_set(&stats->values, PGPS_POOL_SIZE, size);
		if (size == 0)
			pgps_set(&stats->values, PGPS_UNLIMITED, 1);
		pgps_set(&stats->values, PGPS_CHECKED_IN, in);
		pgps_set(&stats->values, PGPS_CHECKED_OUT, out);
		pgps_set(&stats->values, PGPS_OPEN, (int64) in + out);
		pgps_set(&stats->values, PGPS_OVERFLOW, Max(over, 0));
	}
	else if (strcmp(text, "NullPool") != 0 &&
			 strcmp(text, "StaticPool") != 0 &&
			 strcmp(text, "AssertionPool") != 0 &&
			 strncmp(text, "SingletonThreadPool id:", 23) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool statistics are a text that is not known"),
				 errdetail("The only text understood is what status() of a SQLAlchemy pool returns."),
				 errhint("If it is JSON, pass it as jsonb and not as a JSON string.")));
	return stats;
}

/*
 * Parse a report's document: an object, an array of objects, or a text that
 * a library prints.  Returns a list of PgpsStats.
 */
List *
pgps_parse_stats(Jsonb *document, bool strict)
{
	JsonbContainer *root = &document->root;
	List	   *result = NIL;
	uint32		i;

	if (JB_ROOT_IS_SCALAR(document))
	{
		JsonbValue *value = getIthJsonbValueFromContainer(root, 0);

		if (value->type == jbvString)
			return list_make1(parse_string(value));
	}
	else if (JB_ROOT_IS_OBJECT(document))
		return list_make1(parse_object(root, strict));
	else
	{
		if (JB_ROOT_COUNT(document) > MAX_ROWS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("pool statistics have %u rows, expected at most %d",
							JB_ROOT_COUNT(document), MAX_ROWS)));
		for (i = 0; i < JB_ROOT_COUNT(document); i++)
		{
			JsonbValue *value = getIthJsonbValueFromContainer(root, i);

			if (value->type != jbvBinary ||
				!JsonContainerIsObject(value->val.binary.data))
				break;
			result = lappend(result, parse_object(value->val.binary.data, strict));
		}
		if (result != NIL && i == JB_ROOT_COUNT(document))
			return result;
	}

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("pool statistics must be a JSON object, an array of objects, or a text"),
			 errdetail("They are what the pool library returns, such as {\"checked_out\": 3, \"pool_size\": 5}.")));
}
