/*-------------------------------------------------------------------------
 *
 * budget.h
 *	  The limits of the server, its databases and its roles.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_BUDGET_H
#define PGPS_BUDGET_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "analysis/commitments.h"
#include "analysis/snapshot.h"
#include "registry/peaks.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "server/rejections.h"

/* limits below it are not judged by percentages */
#define PGPS_SMALL_LIMIT 10

/* one row of the budget */
typedef struct PgpsLimit
{
	PgpsScope	scope;
	Oid			oid;			/* of the database or role */
	NameData	name;
	int			conn_limit;		/* -1 = none, -2 = invalid database */
	int			usable;
	int			used;
	int			starting;		/* server only: still authenticating */
	int			reserved;		/* slots kept from it */
	int			headroom;
	PgpsScope	binding;		/* the limit that headroom comes from */
	PgpsLimitStatus status;
	PgpsCommitted committed;
	int			peak_used;
	TimestampTz peak_used_at;
	PgpsRejected rejected;
} PgpsLimit;

extern const char *pgps_scope_name(PgpsScope scope);
extern const char *pgps_limit_status_name(PgpsLimitStatus status);
extern int	pgps_server_usable(Oid roleid);
extern int	pgps_server_plannable(Oid roleid);
extern PgpsLimitStatus pgps_server_status(const PgpsRejections *rejections);
extern bool pgps_own_limit(PgpsScope scope, Oid oid, PgpsLimit *limit);
extern List *pgps_limits(const PgpsSnapshot *snapshot);

#endif							/* PGPS_BUDGET_H */
