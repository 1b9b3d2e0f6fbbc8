/*-------------------------------------------------------------------------
 *
 * document.c
 *	  The keys of one JSON document, whatever its shape.
 *
 * Libraries nest: an object in an object, a list of names and values, a
 * metric with measurements or attributes.  All of it becomes one flat list of
 * keys here, each under its path, so that a dialect is a table of keys and
 * needs no code.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "dialects/document.h"

#define MAX_ENTRIES 16384		/* memory for a document is bounded by it */
#define MAX_DEPTH 4				/* deeper than any library goes */

/* at first; more than this would be a block of memory of its own */
#define FIRST_ROOM (4096 / sizeof(PgpsEntry))

/* in a list: what is the name of an element, what its value? */
static const char *const pair_names[] = {"name", "key", "list", "statistic"};
static const char *const pair_values[] = {"value", "items", "measurements"};

/* and what tells elements of one name apart? */
static const char *const pair_labels[] = {"attributes", "labels"};
static const char *const label_keys[] = {"state", "db.client.connection.state"};

static void read_object(PgpsDocument *doc, JsonbContainer *container,
						int parent, const char *path, int depth);
static void read_list(PgpsDocument *doc, JsonbContainer *container,
					  int parent, const char *path, int depth);

/* A new entry, or NULL when there are enough */
static PgpsEntry *
add_entry(PgpsDocument *doc, int parent, const char *path,
		  const char *key, int keylen)
{
	PgpsEntry  *entry;
	int			length = strlen(path);

	CHECK_FOR_INTERRUPTS();
	if (doc->nentries == MAX_ENTRIES)
	{
		doc->too_many = true;
		return NULL;
	}
	if (doc->nentries == doc->room)
	{
		doc->room *= 2;
		doc->entries = repalloc(doc->entries, doc->room * sizeof(PgpsEntry));
	}
	entry = &doc->entries[doc->nentries++];
	entry->key = key;
	entry->keylen = keylen;
	entry->parent = parent;
	entry->container = false;
	entry->common = PGPS_COMMON_NONE;
	entry->word = entry->leaf_word = NULL;
	entry->leaf = length;
	strcpy(entry->folded, path);
	if (!pgps_fold(entry->folded, &length, key, keylen))
	{
		entry->leaf = 0;
		entry->folded[0] = '\0';
	}
	return entry;
}

/*
 * Look up the entry just made, read its value and what is in it.  The list of
 * a metric is part of it; any other list is only where its elements are.
 */
static void
read_entry(PgpsDocument *doc, PgpsEntry *entry, const JsonbValue *value,
		   bool is_pair_value, int depth)
{
	int			self = entry - doc->entries;
	char		path[PGPS_KEY_LEN];
	JsonbContainer *inner;

	entry->word = pgps_find_word(entry->folded);
	if (entry->leaf > 0)
		entry->leaf_word = pgps_find_word(entry->folded + entry->leaf);
	if (entry->parent == -1 && entry->word != NULL && !is_pair_value)
		entry->common = entry->word->common;

	entry->value = *value;
	if (value->type != jbvBinary || depth == MAX_DEPTH ||
		entry->folded[0] == '\0' || entry->common != PGPS_COMMON_NONE)
		return;
	entry->container = true;
	inner = value->val.binary.data;
	strcpy(path, entry->folded);	/* the array of entries may move */
	if (JsonContainerIsObject(inner))
		read_object(doc, inner, self, path, depth + 1);
	else if (pgps_is_list_of_pairs(inner))
		read_list(doc, inner, self, is_pair_value ? path : "", depth + 1);
}

/* First of several keys that an object has */
static const JsonbValue *
find_value(JsonbContainer *container, const char *const *keys, int nkeys,
		   JsonbValue *value)
{
	int			i;

	if (!JsonContainerIsObject(container))
		return NULL;
	for (i = 0; i < nkeys; i++)
	{
		if (getKeyJsonValueFromContainer(container, keys[i], strlen(keys[i]),
										 value))
			return value;
	}
	return NULL;
}

/* Is the object a name and its value? */
static bool
is_pair(JsonbContainer *container, JsonbValue *name, JsonbValue *value)
{
	return find_value(container, pair_names, lengthof(pair_names), name) &&
		name->type == jbvString &&
		find_value(container, pair_values, lengthof(pair_values), value);
}

/* Is it a list of names and values, to judge by its first element? */
bool
pgps_is_list_of_pairs(JsonbContainer *container)
{
	JsonbValue *first;
	JsonbValue	name,
				value;

	if (!JsonContainerIsArray(container) || JsonContainerSize(container) == 0)
		return false;
	first = getIthJsonbValueFromContainer(container, 0);
	return first->type == jbvBinary &&
		is_pair(first->val.binary.data, &name, &value);
}

/* Read a name and its value; how it is labelled is part of the name. */
static void
read_pair(PgpsDocument *doc, JsonbContainer *container, int parent,
		  const char *path, const JsonbValue *name, const JsonbValue *value,
		  int depth)
{
	PgpsEntry  *entry;
	JsonbValue	labels,
				label;
	int			length;

	/* the plain value of a metric is under its name itself */
	if (path[0] != '\0' && name->val.string.len == 5 &&
		pg_strncasecmp(name->val.string.val, "value", 5) == 0)
		entry = add_entry(doc, parent, path, "", 0);
	else
		entry = add_entry(doc, parent, path, name->val.string.val,
						  name->val.string.len);
	if (entry == NULL)
		return;

	if (entry->folded[0] != '\0' &&
		find_value(container, pair_labels, lengthof(pair_labels), &labels) &&
		labels.type == jbvBinary &&
		find_value(labels.val.binary.data, label_keys, lengthof(label_keys), &label) &&
		label.type == jbvString)
	{
		length = strlen(entry->folded);
		if (!pgps_fold(entry->folded, &length, label.val.string.val,
					   label.val.string.len))
			entry->folded[0] = '\0';
	}
	read_entry(doc, entry, value, true, depth);
}

/* Read a list of names and values. */
static void
read_list(PgpsDocument *doc, JsonbContainer *container, int parent,
		  const char *path, int depth)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v,
				name,
				value;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (v.type == jbvBinary && is_pair(v.val.binary.data, &name, &value))
			read_pair(doc, v.val.binary.data, parent, path, &name, &value, depth);
		else
		{
			PgpsEntry  *entry = add_entry(doc, parent, "", "(element)", 9);

			/* nobody's key */
			if (entry != NULL)
			{
				entry->folded[0] = '\0';
				entry->value = v;
			}
		}
	}
}

/* Read all keys of an object. */
static void
read_object(PgpsDocument *doc, JsonbContainer *container, int parent,
			const char *path, int depth)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;
	PgpsEntry  *entry = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			entry = add_entry(doc, parent, path, v.val.string.val,
							  v.val.string.len);
			if (entry == NULL)
				return;
		}
		else if (token == WJB_VALUE)
			read_entry(doc, entry, &v, false, depth);
	}
}

/* Read an object, a list of names and values, or a single metric. */
void
pgps_document_read(PgpsDocument *doc, JsonbContainer *container)
{
	JsonbValue	name,
				value;

	doc->nentries = 0;
	doc->room = FIRST_ROOM;
	doc->entries = palloc(doc->room * sizeof(PgpsEntry));
	doc->too_many = false;

	if (!JsonContainerIsObject(container))
		read_list(doc, container, -1, "", 0);
	else if (is_pair(container, &name, &value) && value.type == jbvBinary &&
			 pgps_is_list_of_pairs(value.val.binary.data))
		read_pair(doc, container, -1, "", &name, &value, 0);
	else
		read_object(doc, container, -1, "", 0);
}
