/*-------------------------------------------------------------------------
 *
 * origin.h
 *	  Who a rejected connection says it is, and why it was rejected.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ORIGIN_H
#define PGPS_ORIGIN_H

#include "base/text.h"
#include "registry/rejected.h"

/* limits, what is wrong with a login, and what keeps the server from anybody */
typedef enum PgpsReason
{
	PGPS_REASON_SERVER,			/* max_connections */
	PGPS_REASON_BACKLOG,		/* the postmaster's limit on children */
	PGPS_REASON_SUPERUSER_RESERVED,
	PGPS_REASON_RESERVED,		/* reserved_connections (16) */
	PGPS_REASON_ROLE,
	PGPS_REASON_DATABASE,
	PGPS_REASON_POOL,			/* pool_limits */
	PGPS_REASON_OTHER_LIMIT,	/* of another extension, or of walsenders */
	PGPS_REASON_AUTHENTICATION,
	PGPS_REASON_HBA,
	PGPS_REASON_NO_ROLE,
	PGPS_REASON_NO_LOGIN,
	PGPS_REASON_NO_DATABASE,
	PGPS_REASON_NOT_ACCEPTING,	/* the database: ALLOW_CONNECTIONS */
	PGPS_REASON_NO_PRIVILEGE,
	PGPS_REASON_TIMEOUT,		/* authentication_timeout */
	PGPS_REASON_BAD_OPTION,
	PGPS_REASON_OTHER,
	PGPS_REASON_STARTING,
	PGPS_REASON_STOPPING,
	PGPS_REASON_RECOVERY,
	PGPS_REASON_HOT_STANDBY_OFF,
	PGPS_REASONS
} PgpsReason;

/* who was rejected; all of it is a claim of whoever reached the port */
typedef struct PgpsOrigin
{
	PgpsReason	reason;
	int			sqlstate;
	bool		claimed;		/* a login that nobody vouches for: none from
								 * this address got into its pool */
	bool		labelled;		/* pool and instance are from the connection */
	bool		reporter;		/* reports for a pool, and does nothing else */
	char		usename[NAMEDATALEN];
	char		datname[NAMEDATALEN];
	char		application_name[NAMEDATALEN];
	char		pool[PGPS_POOL_LEN];
	char		instance[PGPS_INSTANCE_LEN];
	char		client_addr[PGPS_ADDR_LEN];
} PgpsOrigin;

extern void pgps_describe_origin(PgpsOrigin *origin);
extern void pgps_find_reason(const ErrorData *edata, PgpsOrigin *origin);
extern PgpsRejecter pgps_rejecter(PgpsReason reason);
extern const char *pgps_reason_name(PgpsReason reason);

#endif							/* PGPS_ORIGIN_H */
