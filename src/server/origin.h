/*-------------------------------------------------------------------------
 *
 * origin.h
 *	  Who a rejected connection says it is, and which limit rejected it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ORIGIN_H
#define PGPS_ORIGIN_H

#include "base/text.h"

typedef enum PgpsReason
{
	PGPS_REASON_SERVER,			/* max_connections */
	PGPS_REASON_BACKLOG,		/* the postmaster's limit on children */
	PGPS_REASON_SUPERUSER_RESERVED,
	PGPS_REASON_RESERVED,		/* reserved_connections (16) */
	PGPS_REASON_ROLE,
	PGPS_REASON_DATABASE,
	PGPS_REASONS
} PgpsReason;

/* who was rejected; all of it is a claim of whoever reached the port */
typedef struct PgpsOrigin
{
	PgpsReason	reason;
	bool		labelled;		/* pool and instance are from the connection */
	char		usename[NAMEDATALEN];
	char		datname[NAMEDATALEN];
	char		application_name[NAMEDATALEN];
	char		pool[PGPS_POOL_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	char		client_addr[PGPS_ADDR_LEN];
} PgpsOrigin;

extern void pgps_describe_origin(PgpsOrigin *origin);
extern bool pgps_find_reason(const ErrorData *edata, PgpsReason *reason);
extern const char *pgps_reason_name(PgpsReason reason);

#endif							/* PGPS_ORIGIN_H */
