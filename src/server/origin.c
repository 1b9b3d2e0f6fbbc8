/*-------------------------------------------------------------------------
 *
 * origin.c
 *	  Who a rejected connection says it is, and why it was rejected.
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
#include "nodes/pg_list.h"

#include "registry/identity.h"
#include "server/origin.h"

/* Take a setting that came with the connection, if it is a label. */
static void
take_label(PgpsOrigin *origin, const char *name, const char *value)
{
	if (strcmp(name, "pgpool_stats.pool") == 0)
	{
		pgps_labelled_pool(origin->pool, value);
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

/* The pool whose limit rejects it is known, wherever the label came from. */
static void
take_identity(PgpsOrigin *origin)
{
	PgpsIdentity identity;

	pgps_identify(&identity);
	memcpy(origin->pool, identity.pool, PGPS_POOL_LEN);
	memcpy(origin->instance, identity.instance, PGPS_INSTANCE_LEN);
	origin->labelled = true;
}

/*
 * Fill in who this connection says it is, of which the reason is known.  Only
 * for a process with a port.
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
	if (origin->reason == PGPS_REASON_POOL)
	{
		take_identity(origin);
		return;
	}

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
 * Why was it rejected?  By SQLSTATE, and where that has several reasons by the
 * message before it is translated; the first one that fits.  A number can have
 * reasons that nobody thought of: the last line takes all.
 */
void
pgps_find_reason(const ErrorData *edata, PgpsOrigin *origin)
{
	static const struct
	{
		int			sqlstate;	/* 0 = any */
		const char *message;	/* a part of it; NULL = any */
		PgpsReason	reason;
	}			known[] = {
		{ERRCODE_TOO_MANY_CONNECTIONS, "sorry, too many clients already", PGPS_REASON_SERVER},
		{ERRCODE_TOO_MANY_CONNECTIONS, "reserved for non-replication superuser", PGPS_REASON_SUPERUSER_RESERVED},
		{ERRCODE_TOO_MANY_CONNECTIONS, "reserved for roles with the %s attribute", PGPS_REASON_SUPERUSER_RESERVED},
		{ERRCODE_TOO_MANY_CONNECTIONS, "reserved for roles with privileges", PGPS_REASON_RESERVED},
		{ERRCODE_TOO_MANY_CONNECTIONS, "too many connections for role", PGPS_REASON_ROLE},
		{ERRCODE_TOO_MANY_CONNECTIONS, "too many connections for database", PGPS_REASON_DATABASE},
		{ERRCODE_TOO_MANY_CONNECTIONS, "too many connections for pool", PGPS_REASON_POOL},
		{ERRCODE_TOO_MANY_CONNECTIONS, NULL, PGPS_REASON_OTHER_LIMIT},
		{ERRCODE_INVALID_PASSWORD, NULL, PGPS_REASON_AUTHENTICATION},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "authentication failed for user", PGPS_REASON_AUTHENTICATION},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "requires a valid client certificate", PGPS_REASON_AUTHENTICATION},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "no pg_hba.conf entry", PGPS_REASON_HBA},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "pg_hba.conf rejects", PGPS_REASON_HBA},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "is not permitted to log in", PGPS_REASON_NO_LOGIN},
		{ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "does not exist", PGPS_REASON_NO_ROLE},
		{ERRCODE_UNDEFINED_DATABASE, NULL, PGPS_REASON_NO_DATABASE},
		{ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "not currently accepting connections", PGPS_REASON_NOT_ACCEPTING},
		{ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "cannot connect to invalid database", PGPS_REASON_NOT_ACCEPTING},
		{ERRCODE_INSUFFICIENT_PRIVILEGE, "to set parameter", PGPS_REASON_BAD_OPTION},
		{ERRCODE_INSUFFICIENT_PRIVILEGE, NULL, PGPS_REASON_NO_PRIVILEGE},
		{ERRCODE_QUERY_CANCELED, "canceling authentication due to timeout", PGPS_REASON_TIMEOUT},
		{ERRCODE_UNDEFINED_OBJECT, NULL, PGPS_REASON_BAD_OPTION},
		{ERRCODE_INVALID_PARAMETER_VALUE, NULL, PGPS_REASON_BAD_OPTION},
		{ERRCODE_CANT_CHANGE_RUNTIME_PARAM, NULL, PGPS_REASON_BAD_OPTION},
		{ERRCODE_SYNTAX_ERROR, NULL, PGPS_REASON_BAD_OPTION},
		{ERRCODE_CANNOT_CONNECT_NOW, "starting up", PGPS_REASON_STARTING},
		{ERRCODE_CANNOT_CONNECT_NOW, "not yet accepting connections", PGPS_REASON_STARTING},
		{ERRCODE_CANNOT_CONNECT_NOW, "shutting down", PGPS_REASON_STOPPING},
		{ERRCODE_CANNOT_CONNECT_NOW, "recovery mode", PGPS_REASON_RECOVERY},
		{ERRCODE_CANNOT_CONNECT_NOW, "not accepting connections", PGPS_REASON_HOT_STANDBY_OFF},
		{0, NULL, PGPS_REASON_OTHER}
	};
	const char *message = edata->message_id ? edata->message_id : "";
	int			i = 0;

	while ((known[i].sqlstate != 0 && known[i].sqlstate != edata->sqlerrcode) ||
		   (known[i].message != NULL && strstr(message, known[i].message) == NULL))
		i++;
	origin->sqlstate = edata->sqlerrcode;
	origin->reason = known[i].reason;

	/* "too many clients" has two sources */
	if (origin->reason == PGPS_REASON_SERVER && edata->funcname &&
		strcmp(edata->funcname, "InitProcess") != 0)
		origin->reason = PGPS_REASON_BACKLOG;
}

const char *
pgps_reason_name(PgpsReason reason)
{
	static const char *const names[] = {
		"server", "backlog", "superuser_reserved", "reserved", "role",
		"database", "pool", "other_limit", "authentication", "hba", "no_role",
		"no_login", "no_database", "not_accepting", "no_privilege", "timeout",
		"bad_option", "other", "starting", "stopping", "recovery",
		"hot_standby_off"
	};

	StaticAssertStmt(lengthof(names) == PGPS_REASONS, "each has a name");
	return names[reason];
}

PgpsRejecter
pgps_rejecter(PgpsReason reason)
{
	return reason <= PGPS_REASON_OTHER_LIMIT ? PGPS_BY_LIMIT :
		reason <= PGPS_REASON_OTHER ? PGPS_AT_LOGIN : PGPS_UNAVAILABLE;
}
