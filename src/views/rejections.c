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

#include "utils/acl.h"
#include "utils/builtins.h"

#include "analysis/budget.h"
#include "base/compat.h"
#include "base/shmem.h"
#include "server/rejections.h"
#include "views/role_label.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_rejections);

#define REJECTION_COLUMNS(C) \
	C(first_rejected, time, rejection->first_rejected) \
	C(last_rejected, time, rejection->last_rejected) \
	C(count, int8, rejection->count) \
	C(reason, text, pgps_reason_name(origin->reason)) \
	C(usable, int4, usable_of(origin, roleid, dbid)) \
	C(pool, text, label ? pgps_printable(label) : origin->pool) \
	C(instance, text, origin->instance) \
	C(datname, name, origin->datname) \
	C(usename, name, origin->usename) \
	C(application_name, text, origin->application_name) \
	C(client_addr, address, origin->client_addr)

static const PgpsColumn rejection_columns[] = {REJECTION_COLUMNS(PGPS_COLUMN)};

/* What the limit is that rejected; -1 if it is not known any more */
static int
usable_of(const PgpsOrigin *origin, Oid roleid, Oid dbid)
{
	PgpsLimit	limit;

	switch (origin->reason)
	{
		case PGPS_REASON_ROLE:
			return OidIsValid(roleid) && pgps_role_limit(roleid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_DATABASE:
			return OidIsValid(dbid) && pgps_database_limit(dbid, &limit) ?
				limit.usable : -1;
		case PGPS_REASON_SERVER:
		case PGPS_REASON_BACKLOG:
			return MaxConnections;
		default:
			return pgps_server_usable(roleid);
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
	REJECTION_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

/*
 * Oldest first.  Who a rejected connection says it is has not been proved;
 * a role sees what was rejected under its name.
 */
Datum
pgps_get_rejections(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsRejections *rejections;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, rejection_columns, lengthof(rejection_columns));
	rejections = pgps_rejections_copy();
	sees_all = pgps_sees_all();
	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *r = &rejections->rejections[i];
		Oid			roleid = get_role_oid(r->origin.usename, true);

		if (pgps_may_see(roleid, sees_all))
			put_rejection(&row, r, roleid,
						  get_database_oid(r->origin.datname, true));
	}
	return (Datum) 0;
}
