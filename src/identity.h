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

#include "fields.h"

#define PGPS_POOL_LEN 64
#define PGPS_INSTANCE_LEN 128	/* a host name, a colon and a pid fit */
#define PGPS_ADDR_LEN 48
#define PGPS_LOCAL_CLIENT "[local]"

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
	PgpsValues	cap;			/* configuration told by the label */
} PgpsIdentity;

extern void pgps_identify(PgpsIdentity *identity);
extern void pgps_client_addr(char *addr);
extern void pgps_identify_pooler(char *via, const char *client_addr);
extern int	pgps_client_port(const SockAddr *client);
extern void pgps_discovered_pool(char *pool, const char *app_name,
								 const char *role);
extern bool pgps_is_valid_name(const char *name);
extern PGDLLEXPORT void pgps_clean_text(char *dest, Size size, const char *source);
extern void pgps_clean_tail(char *dest, Size size, const char *source);

#endif							/* PGPS_IDENTITY_H */
