/*-------------------------------------------------------------------------
 *
 * parser.c
 *	  One document, read in the words of its dialect.
 *
 * The words of the libraries are data (list.c).  document.c finds the keys in
 * any shape of document, detect.c finds the dialect, figures.c converts the
 * values.  Here one key is read after the other, and what is not understood is
 * listed.
 *
 * There are two kinds of mistakes.  A document that is no statistics at
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
#include "utils/timestamp.h"

#include "base/numbers.h"
#include "base/text.h"
#include "dialects/parser.h"
#include "dialects/pids.h"

/* no timer waits for longer than a day */
#define MAX_EVERY SECS_PER_DAY

/*
 * A key or value was not understood: list the key, or raise in strict mode.
 */
static void
complain_about(PgpsParser *parser, const char *key, int sqlstate,
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

void
pgps_not_understood(PgpsParser *parser, const PgpsEntry *entry, int sqlstate,
					const char *expected)
{
	char		shown[PGPS_KEY_LEN];

	pgps_show_key(&parser->doc, entry, shown);
	complain_about(parser, shown, sqlstate, expected);
}

/* Text or number into a buffer; keeps its end when it is too long. */
static bool
text_of_value(const JsonbValue *value, char *dest, Size size)
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
read_text(PgpsParser *parser, const PgpsEntry *entry, char *dest, Size size)
{
	if (!text_of_value(&entry->value, dest, size))
		pgps_not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE, "text");
}

/*
 * Which dialect is the document in?  Raises when it tells no figure.
 */
static const PgpsDialect *
choose_dialect(PgpsParser *parser)
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
		if (chosen != NULL)
			return chosen;
	}

	chosen = pgps_find_dialect(doc, NULL);
	if (forced[0] != '\0' && (chosen == NULL || parser->strict))
		pgps_raise_unknown_dialect(forced);
	if (chosen == NULL)
		pgps_raise_unknown(doc);

	strlcpy(parser->stats->dialect, chosen->name, PGPS_DIALECT_LEN);
	if (forced[0] != '\0')
		pgps_not_understood(parser, forced_by, ERRCODE_INVALID_PARAMETER_VALUE,
							"the name of a dialect");
	return chosen;
}

static void
read_pids(PgpsParser *parser, const PgpsEntry *entry, PgpsPids *pids)
{
	if (entry->value.type != jbvNull && !pgps_read_pids(pids, &entry->value))
		pgps_not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE,
							"an array of process numbers");
}

/* Seconds between the reports of a timer */
static void
read_every(PgpsParser *parser, const PgpsEntry *entry)
{
	double		seconds = 0;
	int64		integer;
	bool		integral;

	if (entry->value.type == jbvNumeric &&
		pgps_read_number(pgps_number_text(&entry->value), &integral, &integer,
						 &seconds) &&
		seconds > 0 && seconds <= MAX_EVERY)
		parser->stats->every = seconds * USECS_PER_SEC;
	else if (entry->value.type != jbvNull)
		pgps_not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE,
							"a number of seconds");
}

/* On how many servers are its connections?  A text is somebody's configuration. */
static void
read_hosts(PgpsParser *parser, const PgpsEntry *entry)
{
	double		inexact;
	int64		hosts = 0;
	bool		integral = false;

	if (entry->value.type == jbvNumeric &&
		pgps_read_number(pgps_number_text(&entry->value), &integral, &hosts,
						 &inexact) &&
		integral && hosts > 0 && hosts <= PG_INT32_MAX)
		parser->stats->hosts = hosts;
	else if (entry->value.type == jbvNumeric)
		pgps_not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE,
							"a number of servers");
}

void
pgps_read_common(PgpsParser *parser, const PgpsEntry *entry)
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
		case PGPS_COMMON_EVERY:
			read_every(parser, entry);
			break;
		case PGPS_COMMON_HOSTS:
			read_hosts(parser, entry);
			break;
		case PGPS_COMMON_LENT_PIDS:
			read_pids(parser, entry, &stats->lent);
			break;
		case PGPS_COMMON_IDLE_PIDS:
			read_pids(parser, entry, &stats->idle);
			break;
		case PGPS_COMMON_DIALECT:
		case PGPS_COMMON_NONE:
			break;
	}
}

/* A key may report several figures: its rows stand together. */
static void
read_figures(PgpsParser *parser, const PgpsEntry *entry, const PgpsDialectKey *k)
{
	const char *key = k->key;
	PgpsComplaint first = {0, NULL};

	parser->nfigures++;
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
		pgps_not_understood(parser, entry, first.sqlstate, first.expected);
}

/* Does the dialect know a key inside of this one? */
static bool
knows_inside(const PgpsParser *parser, int outer)
{
	const PgpsDocument *doc = &parser->doc;
	int			i;

	for (i = outer + 1; i < doc->nentries && doc->entries[i].parent >= outer; i++)
	{
		if (pgps_find_row(parser->dialect, &doc->entries[i]) != NULL)
			return true;
	}
	return false;
}

/* The entry after this one and all that is inside of it */
int
pgps_skip_entry(const PgpsDocument *doc, int i)
{
	int			outer = i;

	for (i++; i < doc->nentries && doc->entries[i].parent >= outer; i++)
		;
	return i;
}

/*
 * Not a word of the dialect: it may be one of our own, which counts for what
 * the library's words did not tell.  A text, a boolean or null is something
 * that is configured.
 */
static void
read_foreign(PgpsParser *parser, const PgpsEntry *entry)
{
	const PgpsWordRow *row = NULL;
	const JsonbValue value = entry->value;

	if (entry->parent == -1)
		row = pgps_find_row(&pgps_native, entry);
	if (row != NULL && value.type != jbvNull &&
		(value.type == jbvBool) == (row->key->unit == PGPS_UNIT_BOOL) &&
		(parser->dialect == &pgps_generic ||
		 !(parser->figures.known & PGPS_BIT(row->key->field))))
		read_figures(parser, entry, row->key);
	else if (entry->container || value.type == jbvNumeric ||
			 value.type == jbvBinary)
		pgps_not_understood(parser, entry, ERRCODE_INVALID_PARAMETER_VALUE,
							"a key of this dialect, as in view pgpool_stats.dialects");
}

/* Read the words of the dialect, or else those that are foreign to it. */
static void
read_entries(PgpsParser *parser, bool foreign)
{
	const PgpsDocument *doc = &parser->doc;
	int			i = 0;

	while (i < doc->nentries)
	{
		const PgpsEntry *entry = &doc->entries[i];
		const PgpsWordRow *row;

		CHECK_FOR_INTERRUPTS();
		if (entry->common != PGPS_COMMON_NONE)
		{
			if (!foreign)
				pgps_read_common(parser, entry);
		}
		else if (entry->container && knows_inside(parser, i))
		{
			i++;
			continue;
		}
		else if ((row = pgps_find_row(parser->dialect, entry)) != NULL)
		{
			if (row->key != NULL && !foreign)
				read_figures(parser, entry, row->key);
		}
		else if (foreign)
			read_foreign(parser, entry);
		i = pgps_skip_entry(doc, i);
	}
	if (doc->too_many && foreign)
		complain_about(parser, "(more keys)", ERRCODE_PROGRAM_LIMIT_EXCEEDED,
					   "fewer keys");
}

/* The text of a key that stands outermost */
static void
find_text(const PgpsDocument *doc, const char *key, char *value, Size size)
{
	int			i;

	value[0] = '\0';
	for (i = 0; i < doc->nentries; i++)
	{
		const PgpsEntry *entry = &doc->entries[i];

		if (entry->parent == -1 && entry->folded[0] != '\0' &&
			pgps_same_key(entry->folded, key))
			text_of_value(&entry->value, value, size);
	}
}

/*
 * Which of several pools is the row about?  A library that knows of one pool
 * only has no key for that: what somebody made a list of has a name, perhaps.
 */
static void
name_row(PgpsParser *parser)
{
	static const char *const names[] = {"name", "pool", "pool_name"};
	const PgpsDialect *dialect = parser->dialect;
	PgpsStats  *stats = parser->stats;
	StringInfoData name;
	int			k;

	if (dialect->row_keys[0] == NULL)
	{
		for (k = 0; parser->listed && k < lengthof(names) && stats->row[0] == '\0'; k++)
			find_text(&parser->doc, names[k], stats->row, sizeof(stats->row));
		return;
	}
	initStringInfo(&name);
	for (k = 0; k < PGPS_ROW_KEYS && dialect->row_keys[k] != NULL; k++)
	{
		char		part[PGPS_INSTANCE_LEN];

		find_text(&parser->doc, dialect->row_keys[k], part, sizeof(part));
		if (part[0] != '\0')
			appendStringInfo(&name, "%s%s", name.len > 0 ? "/" : "", part);
		if (k == 0 && dialect->not_a_pool != NULL)
			stats->not_a_pool = strcmp(part, dialect->not_a_pool) == 0;
	}
	pgps_clean_tail(stats->row, sizeof(stats->row), name.data);
	pfree(name.data);
}

/*
 * Parse one document into the figures of the parser.  It may be one of several
 * rows that make a pool together; their dialect is given then.
 */
PgpsStats *
pgps_parse_document(PgpsParser *parser, JsonbContainer *container,
					const PgpsDialect *dialect, bool strict)
{
	PgpsStats  *stats = palloc0(sizeof(PgpsStats));

	memset(&parser->figures, 0, sizeof(PgpsFigures));
	parser->nfigures = 0;
	parser->strict = strict;
	parser->stats = stats;
	strcpy(stats->dialect, pgps_native.name);
	pgps_document_read(&parser->doc, container);
	parser->dialect = dialect != NULL ? dialect : choose_dialect(parser);
	strlcpy(stats->dialect, parser->dialect->name, PGPS_DIALECT_LEN);
	stats->elsewhere = parser->dialect->elsewhere;
	stats->counts_requests = parser->dialect->counts_requests;

	read_entries(parser, false);
	read_entries(parser, true);
	if (parser->nfigures == 0)
		pgps_raise_unknown(&parser->doc);
	name_row(parser);
	pfree(parser->doc.entries);
	return stats;
}

/* Work out the figures that we keep from those that were read. */
PgpsStats *
pgps_finish_document(PgpsParser *parser)
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
