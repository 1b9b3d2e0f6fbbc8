/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  Which pool and instance a connection says it belongs to.
 *
 * Names come from whoever connects.  They are repaired here, never rejected:
 * a label that is too long must not keep an application out.
 *
 * Nothing here raises, allocates or looks into a catalog: it runs while a
 * connection starts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/ip.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/settings.h"
#include "registry/identity.h"

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Numeric address of this session's client; empty for a local socket. */
void
pgps_client_addr(char *addr)
{
	char	   *zone;

	memset(addr, 0, PGPS_ADDR_LEN);
	if (MyProcPort == NULL || MyProcPort->raddr.addr.ss_family == AF_UNIX)
		return;
	if (pg_getnameinfo_all(&MyProcPort->raddr.addr, MyProcPort->raddr.salen,
						   addr, PGPS_ADDR_LEN, NULL, 0, NI_NUMERICHOST) != 0)
	{
		memset(addr, 0, PGPS_ADDR_LEN);
		return;
	}

	/* inet knows no zone */
	zone = strchr(addr, '%');
	if (zone != NULL)
		memset(zone, 0, addr + PGPS_ADDR_LEN - zone);
}

/* Port of a client; -1 on a local socket */
int
pgps_client_port(const SockAddr *client)
{
	switch (client->addr.ss_family)
	{
		case AF_INET:
			return pg_ntoh16(((const struct sockaddr_in *) &client->addr)->sin_port);
		case AF_INET6:
			return pg_ntoh16(((const struct sockaddr_in6 *) &client->addr)->sin6_port);
		default:
			return -1;
	}
}

/* Does "text" begin with "[n of m busy]"?  Returns its length or 0. */
static int
busy_note_length(const char *text)
{
	int			busy,
				of,
				length = 0;

	if (sscanf(text, "[%d of %d busy]%n", &busy, &of, &length) != 2)
		return 0;
	return length;
}

/* Is this what PgBouncer's application_name_add_host appends? */
static bool
is_added_host(const char *p)
{
	bool		colon = false;

	for (; *p != '\0'; p++)
	{
		if (*p == ':')
			colon = true;
		else if (strchr("0123456789abcdefABCDEF.[]", *p) == NULL)
			return false;
	}
	return colon;
}

/*
 * Name of the pool that an unlabelled connection belongs to: its
 * application_name without what changes from connection to connection
 * (numbers, a busy count, the client's address), or its role.
 */
void
pgps_discovered_pool(char *pool, const char *app_name, const char *role)
{
	char		clean[PGPS_POOL_LEN];
	char		name[PGPS_POOL_LEN] = "";
	char	   *added;
	int			i,
				n = 0;

	pgps_clean_text(clean, sizeof(clean), app_name);
	added = strstr(clean, " - ");
	while (added != NULL)
	{
		if (is_added_host(added + 3))
		{
			*added = '\0';
			break;
		}
		added = strstr(added + 1, " - ");
	}

	for (i = 0; clean[i] != '\0'; i++)
	{
		if (clean[i] == '[' && busy_note_length(&clean[i]) > 0)
			i += busy_note_length(&clean[i]) - 1;
		else if (!is_digit(clean[i]))
			name[n++] = clean[i];
		else if (n == 0 || name[n - 1] != '#')
			name[n++] = '#';
	}
	while (n > 0 && name[n - 1] == ' ')
		name[--n] = '\0';

	pgps_clean_pool(pool, n > 0 ? name : role);
}

/* The pool that a label names; it may not have come as the setting yet. */
void
pgps_labelled_pool(char *pool, const char *label)
{
	char		setting[PGPS_INSTANCE_LEN];

	pgps_clean_tail(setting, sizeof(setting), label);
	pgps_clean_pool(pool, setting);
}

/*
 * A client that reports for a pool calls itself "watch orders", of the pool
 * "reports": the pool that it reports for, or NULL.
 */
const char *
pgps_watched_pool(const char *pool, const char *app_name)
{
	const char *watch = "watch ";

	/* asked of each connection, and hardly ever so */
	if (likely(app_name[0] != watch[0]))
		return NULL;
	return strcmp(pool, "reports") == 0 &&
		strncmp(app_name, watch, strlen(watch)) == 0 ?
		app_name + strlen(watch) : NULL;
}

/*
 * Read a label that is a count.  Empty or not a number: unknown.  "unlimited"
 * and -1 are told apart from it.
 */
static void
label_count(PgpsValues *cap, PgpsField field, const char *label)
{
	char	   *end;
	long		value;

	if (label == NULL || *label == '\0')
		return;
	if (field == PGPS_MAX_OVERFLOW &&
		(strcmp(label, "-1") == 0 || pg_strcasecmp(label, "unlimited") == 0))
	{
		pgps_set(cap, PGPS_UNLIMITED, 1);
		return;
	}

	errno = 0;
	value = strtol(label, &end, 10);
	if (errno == 0 && *end == '\0' && value >= 0 && value <= PG_INT32_MAX)
		pgps_set(cap, field, value);
}

/*
 * Find out who this session is, but for the pooler it comes through.  Only for
 * client backends whose start-up is over: role, database and settings are in
 * place.
 */
void
pgps_identify(PgpsIdentity *identity)
{
	memset(identity, 0, sizeof(PgpsIdentity));
	identity->roleid = MyProc->roleId;
	identity->dbid = MyDatabaseId;
	namestrcpy(&identity->usename, MyProcPort->user_name);
	namestrcpy(&identity->datname, MyProcPort->database_name);
	pgps_client_addr(identity->client_addr);

	identity->labelled = pgps_label_pool[0] != '\0';
	if (identity->labelled)
		pgps_labelled_pool(identity->pool, pgps_label_pool);
	else
		pgps_discovered_pool(identity->pool, application_name,
							 MyProcPort->user_name);

	identity->instance_labelled = pgps_label_instance[0] != '\0';
	if (identity->instance_labelled)
		pgps_clean_tail(identity->instance, PGPS_INSTANCE_LEN,
						pgps_label_instance);
	else
		pgps_clean_text(identity->instance, PGPS_INSTANCE_LEN,
						identity->client_addr[0] != '\0' ?
						identity->client_addr : PGPS_LOCAL_CLIENT);

	if (identity->labelled)
	{
		pgps_clean_text(identity->app_version, PGPS_POOL_LEN,
						pgps_label_app_version);
		label_count(&identity->cap, PGPS_POOL_SIZE, pgps_label_pool_size);
		label_count(&identity->cap, PGPS_MAX_OVERFLOW, pgps_label_max_overflow);
	}
}

/*-------------------------------------------------------------------------
 * The settings that are labels
 *-------------------------------------------------------------------------
 */

/*
 * Bytes that are not printable ASCII are replaced, and of a text that is too
 * long the end is kept.
 */
bool
pgps_check_label(char **newval, void **extra, GucSource source)
{
	char		clean[PGPS_INSTANCE_LEN];

	/* *newval is our own copy: it may be changed in place */
	pgps_clean_tail(clean, sizeof(clean), *newval);
	strcpy(*newval, clean);
	return true;
}

/*
 * Runs in any process, also while a transaction is undone: only leave word.
 */
void
pgps_assign_label(const char *newval, void *extra)
{
	pgps_placed_by = NULL;
}
