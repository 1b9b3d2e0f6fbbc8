/*-------------------------------------------------------------------------
 *
 * rejections.c
 *	  The function behind the view rejections.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "analysis/budget.h"
#include "base/compat.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "server/origin.h"
#include "server/rejection_rows.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_rejections);

#define REJECTION_COLUMNS(C) \
	C(first_rejected, time, rejection->first_rejected) \
	C(last_rejected, time, rejection->last_rejected) \
	C(count, int8, rejection->count) \
	C(reason, text, pgps_reason_name(origin->reason)) \
	C(usable, int4, usable_of(origin, roleid, dbid)) \
	C(pool, text, label ? label : origin->pool) \
	C(instance, text, origin->instance) \
	C(datname, name, claimed(origin->datname, dbid)) \
	C(usename, name, claimed(origin->usename, roleid)) \
	C(application_name, text, origin->application_name) \
	C(client_addr, address, origin->client_addr) \
	C(sqlstate, text, unpack_sql_state(origin->sqlstate))

/* A name that a client claimed, as it is if there is such a role or database */
static const char *
claimed(const char *name, Oid oid)
{
	return OidIsValid(oid) ? name : pgps_printable(name);
}

static int
usable_of_pool(const PgpsOrigin *origin)
{
	const PgpsPoolLimit *limit = pgps_find_pool_limit(origin->pool,
													  origin->usename,
													  origin->datname);

	return limit ? limit->max : -1;
}

/* The current value of the limit that rejected it; -1 if there is none */
static int
usable_of(const PgpsOrigin *origin, Oid roleid, Oid dbid)
{
	PgpsLimit	limit;

	switch (origin->reason)
	{
		case PGPS_REASON_ROLE:
			return pgps_own_limit(PGPS_SCOPE_ROLE, roleid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_DATABASE:
			return pgps_own_limit(PGPS_SCOPE_DATABASE, dbid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_SERVER:
		case PGPS_REASON_BACKLOG:
			return MaxConnections;
		case PGPS_REASON_SUPERUSER_RESERVED:
		case PGPS_REASON_RESERVED:
			return pgps_server_usable(roleid);
		case PGPS_REASON_POOL:
			return usable_of_pool(origin);
		default:
			return -1;
	}
}

static void
put_rejection(PgpsRow *row, const PgpsRejection *rejection, Oid roleid,
			  Oid dbid)
{
	const PgpsOrigin *origin = &rejection->origin;
	char	   *label = NULL;

	if (!origin->labelled && OidIsValid(roleid))
		label = pgps_role_label(roleid, dbid);
	PGPS_PUT_ROW(REJECTION_COLUMNS);
}

/*
 * Oldest first.  Role, database and label of a rejected connection are what it
 * claimed; a role sees what was rejected under its name.
 */
Datum
pgps_get_rejections(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(REJECTION_COLUMNS);
	PgpsRejections *rejections = pgps_rejections_copy();
	int			i;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *r = &rejections->rejections[i];
		Oid			roleid = get_role_oid(r->origin.usename, true);

		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see(roleid))
			put_rejection(row, r, roleid,
						  get_database_oid(r->origin.datname, true));
	}
	return (Datum) 0;
}
