/*-------------------------------------------------------------------------
 *
 * target_hosts.c
 *	  Where a connection string leads.
 *
 * libpq would look up a host name while everybody waits, so it is given only
 * what needs no look-up.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "libpq-fe.h"

#include "poller/target.h"

/* The value of a keyword in a connection string, or its default; or NULL */
static const char *
option(const PQconninfoOption *given, const PQconninfoOption *defaults,
	   const char *keyword)
{
	const PQconninfoOption *lists[] = {given, defaults};
	int			i;

	for (i = 0; i < lengthof(lists); i++)
	{
		const PQconninfoOption *o = lists[i];

		for (; o != NULL && o->keyword != NULL; o++)
		{
			if (strcmp(o->keyword, keyword) == 0 && o->val != NULL &&
				o->val[0] != '\0')
				return o->val;
		}
	}
	return NULL;
}

/* Can one host of a list be connected to without a look-up? */
static bool
needs_no_lookup(const char *host, Size length)
{
	char		buf[64];
	struct in6_addr addr;

	if (length == 0 || host[0] == '/' || host[0] == '@')
		return true;
	if (length >= sizeof(buf))
		return false;
	memcpy(buf, host, length);
	buf[length] = '\0';

	/* that name is in the machine's own list */
	if (strcmp(buf, "localhost") == 0)
		return true;
	buf[strcspn(buf, "%")] = '\0';

	return inet_pton(AF_INET, buf, &addr) == 1 ||
		inet_pton(AF_INET6, buf, &addr) == 1;
}

/*
 * Which name is to be looked up before it can be connected to?  An empty one
 * if none is.  Returns what is wrong with the connection string, or NULL.
 */
const char *
target_host(const char *conninfo, char *name, Size size)
{
	PQconninfoOption *given = PQconninfoParse(conninfo, NULL);
	PQconninfoOption *defaults;
	const char *wrong = NULL;
	const char *host;
	const char *rest;

	name[0] = '\0';
	if (given == NULL)
		return "libpq does not know a keyword of its connection string";
	if (option(given, NULL, "service") != NULL)
		setenv("PGSERVICE", option(given, NULL, "service"), 1);
	defaults = PQconndefaults();
	unsetenv("PGSERVICE");

	host = option(given, defaults, "host");
	if (host != NULL && option(given, defaults, "hostaddr") == NULL)
	{
		for (rest = host;; rest++)
		{
			Size		length = strcspn(rest, ",");

			if (!needs_no_lookup(rest, length))
				strlcpy(name, host, size);
			rest += length;
			if (*rest == '\0')
				break;
		}
		if (strchr(name, ',') != NULL)
			wrong = "a list of hosts may have addresses only: give each name an entry of its own";
		else if (name[0] != '\0' && strlen(host) >= size)
			wrong = "the name of its host is too long";
	}
	PQconninfoFree(given);
	PQconninfoFree(defaults);
	return wrong;
}
