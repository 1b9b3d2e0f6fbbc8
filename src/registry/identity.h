/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  Which pool and instance a connection says it belongs to.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_IDENTITY_H
#define PGPS_IDENTITY_H

#include "libpq/pqcomm.h"
#include "utils/guc.h"

#include "base/text.h"
#include "dialects/fields.h"

/* who may connect, and what they call themselves */
typedef struct PgpsIdentity
{
	Oid			roleid;			/* the role that logged in */
	Oid			dbid;
	NameData	usename;
	NameData	datname;
	bool		labelled;		/* pool comes from the setting */
	char		pool[PGPS_POOL_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	bool		instance_labelled;	/* and so does instance */
	char		app_version[PGPS_POOL_LEN];
	char		client_addr[PGPS_ADDR_LEN]; /* numeric; empty = local socket */
	char		via[PGPS_POOL_LEN]; /* pooler that it comes through */
	bool		not_limited;	/* pool_limits does not count it */
	PgpsValues	cap;			/* configuration by the label */
} PgpsIdentity;

extern void pgps_identify(PgpsIdentity *identity);
extern const char *pgps_watched_pool(const char *pool, const char *app_name);
extern void pgps_client_addr(char *addr);
extern int	pgps_client_port(const SockAddr *client);
extern void pgps_discovered_pool(char *pool, const char *app_name,
								 const char *role);
extern void pgps_labelled_pool(char *pool, const char *label);

/* hooks of the settings that are labels */
extern bool pgps_check_label(char **newval, void **extra, GucSource source);
extern void pgps_assign_label(const char *newval, void *extra);

#endif							/* PGPS_IDENTITY_H */
