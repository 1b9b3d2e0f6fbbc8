/*-------------------------------------------------------------------------
 *
 * pooler_list.c
 *	  The setting pgpool_stats.poolers, taken apart.
 *
 * Connection strings of libpq (keywords and values), separated by semicolons
 * or line ends.  Beside libpq's keywords there may be "name", under which the
 * pooler is shown; without it, it has the name of its service, or host and
 * port.  libpq itself is known to the poller alone (src/poller), so that its
 * libraries stay out of every other process.
 *
 * The text is never shown to anybody, nor put into a message: by mistake
 * there may be a password in it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/compat.h"
#include "poolers/pooler_list.h"

const PgpsPoolerList *pgps_pooler_list = NULL;

/* the keywords of a connection string that matter here */
typedef struct Words
{
	char	   *name;
	char	   *service;
	char	   *host;
	char	   *hostaddr;
	char	   *port;
	char	   *password;
} Words;

static bool
is_end(char c)
{
	return c == '\0' || c == ';' || c == '\n';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static const char *
skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* Read a value, quoted or not, as libpq does; NULL: its quote has no end. */
static const char *
read_value(const char *p, char **value)
{
	StringInfoData text;
	bool		quoted = *p == '\'';

	initStringInfo(&text);
	for (p += quoted; quoted ? *p != '\'' : !is_blank(*p) && !is_end(*p); p++)
	{
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (*p == '\0')
			return NULL;
		appendStringInfoChar(&text, *p);
	}
	*value = text.data;

	return quoted ? p + 1 : p;
}

static void
keep_word(Words *words, const char *keyword, Size length, char *value)
{
	const struct
	{
		const char *keyword;
		char	  **value;
	}			known[] = {
		{"name", &words->name},
		{"service", &words->service},
		{"host", &words->host},
		{"hostaddr", &words->hostaddr},
		{"port", &words->port},
		{"password", &words->password}
	};
	int			i;

	for (i = 0; i < lengthof(known); i++)
	{
		if (strlen(known[i].keyword) == length &&
			strncmp(known[i].keyword, keyword, length) == 0)
			*known[i].value = value;
	}
}

/*
 * Read one connection string up to its end.  All of it but the name goes to
 * "conninfo".  Returns NULL, with *wrong set, if it is none.
 */
static const char *
read_item(const char *p, Words *words, StringInfo conninfo, const char **wrong)
{
	for (;;)
	{
		const char *keyword = skip_blanks(p);
		Size		length;
		char	   *value;

		if (is_end(*keyword))
			return keyword;
		length = strcspn(keyword, " \t\r\f\v\n;='");
		p = skip_blanks(keyword + length);
		if (length == 0 || *p != '=')
		{
			*wrong = "must be a connection string of keywords and values, such as \"host=10.0.0.5 port=6432 dbname=pgbouncer\"";
			return NULL;
		}
		p = read_value(skip_blanks(p + 1), &value);
		if (p == NULL)
		{
			*wrong = "has a quote without end";
			return NULL;
		}
		keep_word(words, keyword, length, value);
		if (length != strlen("name") || strncmp(keyword, "name", length) != 0)
			appendStringInfo(conninfo, "%s%.*s", conninfo->len > 0 ? " " : "",
							 (int) (p - keyword), keyword);
	}
}

/* Under which name is it shown? */
static void
choose_name(char *dest, const Words *words)
{
	const char *host = words->hostaddr ? words->hostaddr :
		words->host ? words->host : PGPS_LOCAL_CLIENT;

	if (words->name != NULL)
		strlcpy(dest, words->name, PGPS_POOL_LEN);
	else if (words->service != NULL)
		strlcpy(dest, words->service, PGPS_POOL_LEN);
	else
		snprintf(dest, PGPS_POOL_LEN, "%s:%s", host,
				 words->port ? words->port : "5432");
}

/* What is wrong with an item?  NULL if nothing is. */
static const char *
wrong_with_item(const PgpsPoolerItem *items, int count, const Words *words)
{
	const char *name = items[count].name;
	int			i;

	if (count == PGPS_MAX_POOLERS)
		return "is one too many";
	if (words->password != NULL)
		return "must not have its password here: put it into the password file or a service file";
	if (!pgps_is_valid_name(name) ||
		(words->name != NULL && strlen(words->name) >= PGPS_POOL_LEN))
		return "must have a name of 1 to 63 bytes of printable ASCII";
	for (i = 0; i < count; i++)
	{
		if (strcmp(items[i].name, name) == 0)
			return "has the name of another: tell them apart with name=...";
	}
	return NULL;
}

/* Lay out the list in one piece that the setting owns. */
static PgpsPoolerList *
make_list(const PgpsPoolerItem *items, int count, const StringInfoData *texts)
{
	Size		head = offsetof(PgpsPoolerList, item) +
		count * sizeof(PgpsPoolerItem);
	PgpsPoolerList *list = pgps_guc_alloc(head + texts->len + 1);
	int			i;

	if (list == NULL)
		return NULL;
	list->count = count;
	for (i = 0; i < count; i++)
	{
		list->item[i] = items[i];
		list->item[i].conninfo += head;
	}
	memcpy((char *) list + head, texts->data, texts->len + 1);
	return list;
}

/* Check hook.  The message leaves out the value. */
bool
pgps_check_poolers(char **newval, void **extra, GucSource source)
{
	PgpsPoolerItem items[PGPS_MAX_POOLERS + 1];
	StringInfoData texts;
	const char *p = *newval;
	const char *wrong = NULL;
	int			count = 0;

	initStringInfo(&texts);
	while (wrong == NULL)
	{
		Words		words = {NULL};
		StringInfoData conninfo;

		initStringInfo(&conninfo);
		p = read_item(p, &words, &conninfo, &wrong);
		if (wrong == NULL && (conninfo.len > 0 || words.name != NULL))
		{
			memset(&items[count], 0, sizeof(PgpsPoolerItem));
			items[count].conninfo = texts.len;
			choose_name(items[count].name, &words);
			appendBinaryStringInfo(&texts, conninfo.data, conninfo.len + 1);
			wrong = wrong_with_item(items, count, &words);
			count++;
		}
		else if (wrong != NULL)
			count++;
		if (wrong == NULL && *p++ == '\0')
			break;
	}

	if (wrong != NULL)
	{
		GUC_check_errmsg("invalid value for parameter \"%s\"",
						 "pgpool_stats.poolers");
		GUC_check_errdetail("Pooler %d %s.", count, wrong);
		return false;
	}
	*extra = make_list(items, count, &texts);
	return *extra != NULL;
}

void
pgps_assign_poolers(const char *newval, void *extra)
{
	pgps_pooler_list = extra;
}
