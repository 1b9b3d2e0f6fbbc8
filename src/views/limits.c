/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  The function behind the view limits.
 *
 * An entry of pool_limits has a row for each pool that it is for.  Those that are
 * for none have one, for readers who see all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "analysis/limited.h"
#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_limits);

#define LIMIT_COLUMNS(C) \
	C(entry, text, limit->entry) \
	C(pool, text, pool ? pool->data->key.name : NULL) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(max_connections, int4, limit->error ? -1 : limit->max) \
	C(action, text, limit->error ? NULL : limit->warns ? "warn" : "refuse") \
	C(connections, int4, pool ? limited->connections : -1) \
	C(rejected, int8, pool ? (int64) pgps_pool_rejected(pool->data, &names, rejections, PGPS_BY_LIMIT) : -1) \
	C(error, text, limit->error) \
	C(notes, text, pool ? notes_of(pool, limited) : NULL)

/* Where it does not hold */
static const char *
notes_of(const PgpsPoolState *pool, const PgpsLimited *limited)
{
	StringInfoData notes;

	initStringInfo(&notes);
	if (limited->exempt)
		pgps_note(&notes, "its role is never refused");
	if (limited->by_pooler > 0)
		pgps_note(&notes, psprintf("no effect on %d behind a pooler", limited->by_pooler));
	else if (pool->via != NULL)
		pgps_note(&notes, "no effect behind a pooler");
	if (limited->came_later > 0 && !limited->limit->warns)
		pgps_note(&notes, psprintf("%d came by SET, which is not refused", limited->came_later));
	return notes.data;
}

/* "pool" is NULL for an entry that is for none. */
static void
put_limit(PgpsRow *row, const PgpsPoolLimit *limit, const PgpsPoolState *pool,
		  const PgpsLimited *limited, const PgpsRejections *rejections)
{
	PgpsNames	names = {NULL, NULL};

	if (pool != NULL)
		names = pgps_names(pool->data);
	PGPS_PUT_ROW(LIMIT_COLUMNS);
}

Datum
pgps_get_limits(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(LIMIT_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	PgpsLimited *limited = pgps_find_limited(snapshot);
	int			n;

	for (n = 0; limited != NULL && n < pgps_pool_limits->count; n++)
	{
		const PgpsPoolLimit *limit = &pgps_pool_limits->limit[n];
		bool		any = false;
		int			i;

		for (i = 0; i < snapshot->npools; i++)
		{
			const PgpsPoolState *pool = &snapshot->pools[i];

			CHECK_FOR_INTERRUPTS();
			if (limited[i].limit != limit)
				continue;
			any = true;
			if (pgps_may_see(pool->data->key.roleid))
				put_limit(row, limit, pool, &limited[i], snapshot->rejections);
		}
		if (!any && pgps_sees_all())
			put_limit(row, limit, NULL, NULL, NULL);
	}
	return (Datum) 0;
}
