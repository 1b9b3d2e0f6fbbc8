/*-------------------------------------------------------------------------
 *
 * dialect.c
 *	  From the JSON statistics of a pool library to our fields.
 *
 * The words of the libraries are data (dialect_table.c), their values are
 * converted in figures.c, the keys of any shape of document are found in
 * document.c; this is the mechanism around: detect the dialect, take one
 * document after the other, complain.
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

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "detect.h"
#include "figures.h"

#define MAX_ROWS 1000			/* pools in one report */
#define MAX_COMBINED 100000		/* rows that make one */

/* a document on its way to figures */
typedef struct Parser
{
	PgpsDocument doc;
	const PgpsDialect *dialect;
	PgpsFigures figures;
	bool		strict;
	PgpsStats  *stats;
} Parser;

/*
 * A key or value was not understood: list the key, or raise in strict mode.
 */
static void
complain_about(Parser *parser, const char *key, int sqlstate,
			   const char *expected)
{
	PgpsStats  *stats = parser->stats;

	if (parser->strict)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("invalid key \"%s\" in %s pool statistics", key,
						stats->dialect),
				 errdetail("Expected %s.", expected),
				 errhint("Without pgpool_stats.strict_reports the key is ignored and listed in pgpool_stats.instances.unmapped.")));

	stats->nunmapped++;
	if (stats->unmapped_used + strlen(key) + 1 <= PGPS_UNMAPPED_LEN)
	{
		strcpy(stats->unmapped + stats->unmapped_used, key);
		stats->unmapped_used += strlen(key) + 1;
	}
}

static void
not_understood(Parser *parser, const PgpsEntry *entry, int sqlstate,
			   const char *expected)
{
	char		shown[PGPS_KEY_LEN];

	pgps_show_key(&parser->doc, entry, shown);
	complain_about(parser, shown, sqlstate, expected);
}

/* Text or number into a buffer; keeps its end when it is too long. */
static bool
copy_text(const JsonbValue *value, char *dest, Size size)
{
	if (value->type == jbvString)
	{
		char	   *text = pnstrdup(value->val.string.val,
									value->val.string.len);

		pgps_clean_tail(dest, size, text);
		pfree(text);
	}
	else if (value->type == jbvNumeric)
		pgps_clean_tail(dest, size, pgps_number_text(value));
	else
		return value->type == jbvNull;
	return true;
}

static void
read_text(Parser *parser, const PgpsEntry *entry, char *dest, Size size)
{
	if (!copy_text(&entry->value, dest, size))
		not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE, "text");
}

/*
 * Which dialect is the document in?  Raises when no dialect knows any key.
 */
static const PgpsDialect *
choose_dialect(Parser *parser)
{
	const PgpsDocument *doc = &parser->doc;
	const PgpsDialect *chosen;
	char		forced[PGPS_DIALECT_LEN] = "";
	const PgpsEntry *forced_by = NULL;
	int			i;

	for (i = 0; i < doc->nentries; i++)
	{
		if (doc->entries[i].common == PGPS_COMMON_DIALECT)
		{
			forced_by = &doc->entries[i];
			read_text(parser, forced_by, forced, sizeof(forced));
		}
	}

	if (forced[0] != '\0')
	{
		chosen = pgps_find_dialect(doc, forced);
		if (chosen != NULL && pgps_known_keys(doc, chosen) == 0)
			pgps_raise_unknown(doc);
		if (chosen != NULL)
			return chosen;
	}

	chosen = pgps_find_dialect(doc, NULL);
	if (chosen == NULL)
		pgps_raise_unknown(doc);

	strlcpy(parser->stats->dialect, chosen->name, PGPS_DIALECT_LEN);
	if (forced[0] != '\0')
		not_understood(parser, forced_by, ERRCODE_INVALID_PARAMETER_VALUE,
					   "the name of a dialect");
	return chosen;
}

static void
read_common(Parser *parser, const PgpsEntry *entry)
{
	PgpsStats  *stats = parser->stats;

	switch (entry->common)
	{
		case PGPS_COMMON_HOST:
			read_text(parser, entry, stats->host, sizeof(stats->host));
			break;
		case PGPS_COMMON_PID:
			read_text(parser, entry, stats->pid, sizeof(stats->pid));
			break;
		case PGPS_COMMON_INSTANCE:
			read_text(parser, entry, stats->instance, sizeof(stats->instance));
			break;
		case PGPS_COMMON_APP_VERSION:
			read_text(parser, entry, stats->app_version,
					  sizeof(stats->app_version));
			break;
		case PGPS_COMMON_DIALECT:
		case PGPS_COMMON_NONE:
			break;
	}
}

/* A key may tell several figures: its rows stand together. */
static void
read_figures(Parser *parser, const PgpsEntry *entry, const PgpsDialectKey *k)
{
	const char *key = k->key;
	PgpsComplaint first = {0, NULL};

	do
	{
		PgpsComplaint complaint = pgps_read_figure(&parser->figures,
												   parser->dialect, k,
												   &entry->value);

		if (first.expected == NULL)
			first = complaint;
		k++;
	} while (k->key != NULL && strcmp(k->key, key) == 0);
	if (first.expected != NULL)
		not_understood(parser, entry, first.sqlstate, first.expected);
}

/* Does the dialect know a key inside of this one? */
static bool
knows_inside(const Parser *parser, int outer)
{
	const PgpsDocument *doc = &parser->doc;
	int			i;

	for (i = outer + 1; i < doc->nentries && doc->entries[i].parent >= outer; i++)
	{
		if (pgps_find_key(parser->dialect, &doc->entries[i]) != NULL)
			return true;
	}
	return false;
}

/* The entry behind this one and all that is in it */
static int
skip_entry(const PgpsDocument *doc, int i)
{
	int			outer = i;

	for (i++; i < doc->nentries && doc->entries[i].parent >= outer; i++)
		;
	return i;
}

static void
read_entries(Parser *parser)
{
	const PgpsDocument *doc = &parser->doc;
	int			i = 0;

	while (i < doc->nentries)
	{
		const PgpsEntry *entry = &doc->entries[i];
		const PgpsDialectKey *k;

		CHECK_FOR_INTERRUPTS();
		if (entry->common != PGPS_COMMON_NONE)
			read_common(parser, entry);
		else if (entry->container && knows_inside(parser, i))
		{
			i++;
			continue;
		}
		else if ((k = pgps_find_key(parser->dialect, entry)) != NULL)
			read_figures(parser, entry, k);
		else
			not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE,
						   "a key of this dialect, as in view pgpool_stats.dialects");
		i = skip_entry(doc, i);
	}
	if (doc->too_many)
		complain_about(parser, "(more keys)", ERRCODE_PROGRAM_LIMIT_EXCEEDED,
					   "fewer keys");
}

/* Which of several pools is the row about? */
static void
name_row(Parser *parser)
{
	const PgpsDialect *dialect = parser->dialect;
	PgpsStats  *stats = parser->stats;
	StringInfoData name;
	int			i,
				k;

	if (dialect->row_keys[0] == NULL)
		return;
	initStringInfo(&name);
	for (k = 0; k < PGPS_ROW_KEYS && dialect->row_keys[k] != NULL; k++)
	{
		char		part[PGPS_INSTANCE_LEN] = "";

		for (i = 0; i < parser->doc.nentries; i++)
		{
			const PgpsEntry *entry = &parser->doc.entries[i];

			if (entry->parent == -1 && entry->folded[0] != '\0' &&
				pgps_same_key(entry->folded, dialect->row_keys[k]))
				copy_text(&entry->value, part, sizeof(part));
		}
		if (part[0] != '\0')
			appendStringInfo(&name, "%s%s", name.len > 0 ? "/" : "", part);
		if (k == 0 && dialect->not_a_pool != NULL)
			stats->not_a_pool = strcmp(part, dialect->not_a_pool) == 0;
	}
	pgps_clean_tail(stats->row, sizeof(stats->row), name.data);
	pfree(name.data);
}

/*
 * Parse one document; it may be a row of several that make a pool together,
 * whose dialect is then given.  In the parser are its figures as they were
 * read.
 */
static PgpsStats *
parse_one(Parser *parser, JsonbContainer *container,
		  const PgpsDialect *dialect, bool strict)
{
	PgpsStats  *stats = palloc0(sizeof(PgpsStats));

	memset(&parser->figures, 0, sizeof(PgpsFigures));
	parser->strict = strict;
	parser->stats = stats;
	strcpy(stats->dialect, pgps_native.name);
	pgps_document_read(&parser->doc, container);
	parser->dialect = dialect != NULL ? dialect : choose_dialect(parser);
	strlcpy(stats->dialect, parser->dialect->name, PGPS_DIALECT_LEN);
	stats->elsewhere = parser->dialect->elsewhere;

	read_entries(parser);
	name_row(parser);
	pfree(parser->doc.entries);
	return stats;
}

/* From the figures as they were read to those that we keep */
static PgpsStats *
finish_document(Parser *parser)
{
	PgpsStats  *stats = parser->stats;
	PgpsComplaint about_open;

	if (parser->dialect->combine != NULL)
	{
		parser->dialect->combine(&stats->values, &parser->figures, 1);
		return stats;
	}
	about_open = pgps_work_out(&parser->figures, parser->dialect);
	if (about_open.expected != NULL)
		complain_about(parser, "open", about_open.sqlstate,
					   about_open.expected);
	pgps_figures_to_values(&stats->values, &parser->figures);
	return stats;
}

static PgpsStats *
parse_document(JsonbContainer *container, bool strict)
{
	Parser		parser;

	parse_one(&parser, container, NULL, strict);
	return finish_document(&parser);
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

/* An object out of an array; NULL if it is none. */
static JsonbContainer *
ith_object(JsonbContainer *array, uint32 i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

static void
check_rows(uint32 nrows, int limit)
{
	if (nrows > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("pool statistics have %u rows, expected at most %d",
						nrows, limit)));
}

/* Rows that make a pool only together */
static PgpsStats *
parse_combined(JsonbContainer *array, const PgpsDialect *dialect, bool strict)
{
	uint32		nrows = JsonContainerSize(array);
	Parser		parser;
	PgpsStats  *stats = NULL;
	PgpsFigures *rows;
	uint32		i;

	check_rows(nrows, MAX_COMBINED);
	rows = palloc(nrows * sizeof(PgpsFigures));
	for (i = 0; i < nrows; i++)
	{
		JsonbContainer *object = ith_object(array, i);
		PgpsStats  *row;

		if (object == NULL)
			return NULL;
		row = parse_one(&parser, object, dialect, strict);
		rows[i] = parser.figures;
		if (stats == NULL)
			stats = row;
		else
		{
			stats->nunmapped += row->nunmapped;
			pfree(row);
		}
	}
	dialect->combine(&stats->values, rows, nrows);
	pfree(rows);
	return stats;
}

/* An array of rows; NIL if it is none. */
static List *
parse_array(JsonbContainer *array, bool strict)
{
	uint32		nrows = JsonContainerSize(array);
	List	   *result = NIL;
	ListCell   *lc;
	bool		any_pool = false;
	Parser		parser;
	uint32		i;

	for (i = 0; i < nrows; i++)
	{
		JsonbContainer *object = ith_object(array, i);

		if (object == NULL)
			return NIL;
		parse_one(&parser, object, NULL, strict);
		if (i == 0)
		{
			if (parser.dialect->combine != NULL)
			{
				PgpsStats  *stats = parse_combined(array, parser.dialect,
												   strict);

				return stats != NULL ? list_make1(stats) : NIL;
			}
			check_rows(nrows, MAX_ROWS);
		}
		result = lappend(result, finish_document(&parser));
	}

	/* what is no pool is kept only if there is nothing else */
	foreach(lc, result)
		any_pool |= !((PgpsStats *) lfirst(lc))->not_a_pool;
	foreach(lc, result)
	{
		if (any_pool && ((PgpsStats *) lfirst(lc))->not_a_pool)
			result = foreach_delete_current(result, lc);
	}
	return result;
}

/*
 * Pools for reading and for writing, which Sequelize keeps side by side.
 * NIL if the object is not like that.  What stands beside them is for both.
 */
static List *
parse_split(JsonbContainer *object, bool strict)
{
	static const char *const sides[] = {"read", "write"};
	List	   *result = NIL;
	JsonbValue	values[lengthof(sides)];
	Parser		outer = {.strict = strict};
	int			i,
				j;

	for (i = 0; i < lengthof(sides); i++)
	{
		if (getKeyJsonValueFromContainer(object, sides[i], strlen(sides[i]),
										 &values[i]) == NULL ||
			values[i].type != jbvBinary ||
			!JsonContainerIsObject(values[i].val.binary.data))
			return NIL;
	}

	pgps_document_read(&outer.doc, object);
	for (i = 0; i < lengthof(sides); i++)
	{
		PgpsStats  *stats = parse_document(values[i].val.binary.data, strict);

		outer.stats = stats;
		for (j = 0; j < outer.doc.nentries; j = skip_entry(&outer.doc, j))
		{
			const PgpsEntry *entry = &outer.doc.entries[j];

			if (entry->common != PGPS_COMMON_NONE)
				read_common(&outer, entry);
			else if (entry->keylen == 0 ||
					 (!pgps_same_key(entry->folded, "read") &&
					  !pgps_same_key(entry->folded, "write")))
				not_understood(&outer, entry, ERRCODE_INVALID_PARAMETER_VALUE,
							   "only read and write");
		}
		strcpy(stats->row, sides[i]);
		result = lappend(result, stats);
	}
	return result;
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

	if (JB_ROOT_IS_SCALAR(document))
	{
		JsonbValue *value = getIthJsonbValueFromContainer(root, 0);

		if (value->type == jbvString)
			result = list_make1(parse_string(value));
	}
	else if (JB_ROOT_IS_OBJECT(document))
	{
		result = parse_split(root, strict);
		if (result == NIL)
			result = list_make1(parse_document(root, strict));
	}
	else if (pgps_is_list_of_pairs(root))
		result = list_make1(parse_document(root, strict));
	else
		result = parse_array(root, strict);

	if (result == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool statistics must be a JSON object, an array of objects, or a text"),
				 errdetail("They are what the pool library returns, such as {\"checked_out\": 3, \"pool_size\": 5}.")));
	return result;
}
