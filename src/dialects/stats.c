/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  What the argument of report() says: one document, or several.
 *
 * It is an object; an array of rows, each of which is a pool, or which make one
 * pool together; an object with a pool for reading and one for writing;
 * OpenTelemetry's metrics; or a text.  A document is read in parser.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "dialects/dialect.h"
#include "dialects/document.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "dialects/otlp.h"
#include "dialects/parser.h"
#include "dialects/stats.h"
#include "dialects/words.h"

#define MAX_ROWS 1000			/* pools in one report */
#define MAX_COMBINED 100000		/* rows that make one pool together */

static PgpsStats *
parse_object(JsonbContainer *container, bool strict)
{
	PgpsParser	parser = {0};

	pgps_parse_document(&parser, container, NULL, strict);
	return pgps_finish_document(&parser);
}

/*
 * The text that SQLAlchemy's Pool.status() prints.  Pools without books of
 * their own print only their name.
 */
static PgpsStats *
parse_text(const JsonbValue *value)
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
		/* max_overflow is not in the text: only size 0 says what the cap is */
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

/* Make one pool of all rows. */
static PgpsStats *
parse_combined(JsonbContainer *array, const PgpsDialect *dialect, bool strict)
{
	uint32		nrows = JsonContainerSize(array);
	PgpsParser	parser = {0};
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
		row = pgps_parse_document(&parser, object, dialect, strict);
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
	PgpsParser	parser = {.listed = nrows > 1};
	uint32		i;

	for (i = 0; i < nrows; i++)
	{
		JsonbContainer *object = ith_object(array, i);
		PgpsStats  *row;

		if (object == NULL)
			return NIL;
		pgps_parse_document(&parser, object, NULL, strict);
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
		row = pgps_finish_document(&parser);
		if (nrows > 1 && row->row[0] == '\0' && row->instance[0] == '\0' &&
			(row->host[0] == '\0' || row->pid[0] == '\0'))
			snprintf(row->row, sizeof(row->row), "%u", i + 1);
		result = lappend(result, row);
	}

	/* rows that are no pools are kept only if there is nothing else */
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
	PgpsParser	outer = {.strict = strict};
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
		PgpsStats  *stats = parse_object(values[i].val.binary.data, strict);

		outer.stats = stats;
		for (j = 0; j < outer.doc.nentries; j = pgps_skip_entry(&outer.doc, j))
		{
			const PgpsEntry *entry = &outer.doc.entries[j];

			if (entry->common != PGPS_COMMON_NONE)
				pgps_read_common(&outer, entry);
			else if (entry->keylen == 0 ||
					 (!pgps_same_key(entry->folded, "read") &&
					  !pgps_same_key(entry->folded, "write")))
				pgps_not_understood(&outer, entry, ERRCODE_INVALID_PARAMETER_VALUE,
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
			result = list_make1(parse_text(value));
	}
	else if (JB_ROOT_IS_OBJECT(document))
	{
		Jsonb	   *pools = pgps_read_otlp(root);

		result = pools != NULL ? parse_array(&pools->root, strict) :
			parse_split(root, strict);
		if (result == NIL)
			result = list_make1(parse_object(root, strict));
	}
	else if (pgps_is_list_of_pairs(root))
		result = list_make1(parse_object(root, strict));
	else
		result = parse_array(root, strict);

	if (result == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pool statistics must be a JSON object, an array of objects, or a text"),
				 errdetail("They are what the pool library returns, such as {\"checked_out\": 3, \"pool_size\": 5}.")));
	return result;
}
