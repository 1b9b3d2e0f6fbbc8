/*-------------------------------------------------------------------------
 *
 * origin.c
 *	  Who a rejected connection says it is, and which limit rejected it.
 *
 * Reads what the client sent, as far as the server has kept it: no catalog, no
 * allocation, no error.  The process may have no PGPROC.
 *
 * Names of role and database are kept byte by byte, because they are compared
 * with those in the catalogs; whoever shows them cleans them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/libpq-be.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "registry/identity.h"
#include "server/origin.h"

/* Take a setting that came with the connection, if it is a label. */
static void
take_label(PgpsOrigin *origin, const char *name, const char *value)
{
	if (strcmp(name, "pgpool_stats.pool") == 0)
	{
		pgps_clean_text(origin->pool, PGPS_POOL_LEN, value);
		origin->labelled = origin->pool[0] != '\0';
	}
	else if (strcmp(name, "pgpool_stats.instance") == 0)
		pgps_clean_tail(origin->instance, PGPS_INSTANCE_LEN, value);
}

/*
 * Copy the next word of command line options, as pg_split_opts() would split
 * them: blanks part, a backslash takes the next byte as it is.
 */
static const char *
next_option(char *word, Size size, const char *options)
{
	Size		n = 0;

	while (*options == ' ' || (*options >= '\t' && *options <= '\r'))
		options++;
	if (*options == '\0')
		return NULL;
	while (*options != '\0' && *options != ' ' &&
		   !(*options >= '\t' && *options <= '\r'))
	{
		if (*options == '\\' && options[1] != '\0')
			options++;
		if (n < size - 1)
			word[n++] = *options;
		options++;
	}
	word[n] = '\0';
	return options;
}

/* "name=value", with "-" for "_" in the name */
static void
take_assignment(PgpsOrigin *origin, char *assignment)
{
	char	   *p;

	for (p = assignment; *p != '=' && *p != '\0'; p++)
	{
		if (*p == '-')
			*p = '_';
	}
	if (*p == '\0')
		return;
	*p = '\0';
	take_label(origin, assignment, p + 1);
}

/* Options come as "-c a=b", "-ca=b" or "--a=b". */
static void
take_options(PgpsOrigin *origin, const char *options)
{
	char		word[512];
	bool		assignment_next = false;

	while ((options = next_option(word, sizeof(word), options)) != NULL)
	{
		if (assignment_next)
		{
			take_assignment(origin, word);
			assignment_next = false;
		}
		else if (strcmp(word, "-c") == 0)
			assignment_next = true;
		else if (strncmp(word, "--", 2) == 0 || strncmp(word, "-c", 2) == 0)
			take_assignment(origin, word + 2);
	}
}

/*
 * Fill in who this connection says it is.  Only for a process with a port.
 */
void
pgps_describe_origin(PgpsOrigin *origin)
{
	const Port *port = MyProcPort;
	ListCell   *lc;

	if (port->user_name)
		strlcpy(origin->usename, port->user_name, NAMEDATALEN);
	if (port->database_name)
		strlcpy(origin->datname, port->database_name, NAMEDATALEN);
	if (port->application_name)
		pgps_clean_text(origin->application_name, NAMEDATALEN,
						port->application_name);
	pgps_client_addr(origin->client_addr);

	if (port->cmdline_options)
		take_options(origin, port->cmdline_options);

	/* start-up keys win over options; the list is name, value, name ... */
	for (lc = list_head(port->guc_options); lc != NULL;
		 lc = lnext(port->guc_options, lc))
	{
		const char *name = lfirst(lc);

		lc = lnext(port->guc_options, lc);
		if (lc == NULL)
			break;
		take_label(origin, name, lfirst(lc));
	}

	if (!origin->labelled)
		pgps_discovered_pool(origin->pool, origin->application_name,
							 origin->usename);
	if (origin->instance[0] == '\0')
		pgps_clean_text(origin->instance, PGPS_INSTANCE_LEN,
						origin->client_addr[0] != '\0' ?
						origin->client_addr : PGPS_LOCAL_CLIENT);
}

/*
 * Which limit was it?  By the untranslated message; "too many clients" has
 * two sources.  False if it is none of ours.
 */
bool
pgps_find_reason(const ErrorData *edata, PgpsReason *reason)
{
	static const struct
	{
		const char *message;	/* its beginning */
		PgpsReason	reason;
	}			known[] = {
		{"sorry, too many clients already", PGPS_REASON_SERVER},
		{"remaining connection slots are reserved for non-replication superuser", PGPS_REASON_SUPERUSER_RESERVED},
		{"remaining connection slots are reserved for roles with the %s attribute", PGPS_REASON_SUPERUSER_RESERVED},
		{"remaining connection slots are reserved for roles with privileges", PGPS_REASON_RESERVED},
		{"too many connections for role", PGPS_REASON_ROLE},
		{"too many connections for database", PGPS_REASON_DATABASE}
	};
	int			i;

	if (edata->elevel != FATAL || edata->message_id == NULL ||
		edata->sqlerrcode != ERRCODE_TOO_MANY_CONNECTIONS)
		return false;
	for (i = 0; i < lengthof(known); i++)
	{
		if (strncmp(edata->message_id, known[i].message,
					strlen(known[i].message)) == 0)
		{
			*reason = known[i].reason;
			if (*reason == PGPS_REASON_SERVER && edata->funcname &&
				strcmp(edata->funcname, "InitProcess") != 0)
				*reason = PGPS_REASON_BACKLOG;
			return true;
		}
	}
	return false;
}

const char *
pgps_reason_name(PgpsReason reason)
{
	static const char *const names[] = {
		"server", "backlog", "superuser_reserved", "reserved", "role",
		"database"
	};

	return names[reason];
}
