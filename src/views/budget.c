/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  The function behind the view budget.
 *
 * Its numbers are public in the catalogs and in pg_stat_activity already:
 * everybody sees them.  Those of pools that pool_limits limits are not: a role
 * sees its own pools'.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "analysis/budget.h"
#include "analysis/commitments.h"
#include "analysis/limited.h"
#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_budget);

#define BUDGET_COLUMNS(C) \
	C(scope, text, pgps_scope_name(limit->scope)) \
	C(name, name, NameStr(limit->name)) \
	C(conn_limit, int4, limit->conn_limit) \
	C(usable, int4, limit->usable) \
	C(used, int4, limit->used) \
	C(starting, int4, limit->scope == PGPS_SCOPE_SERVER ? limit->starting : -1) \
	C(used_pct, pct, limit->usable > 0 ? 100.0 * Min(limit->used, limit->usable) / limit->usable : -1) \
	C(headroom, int4, limit->headroom) \
	C(binding, text, pgps_scope_name(limit->binding)) \
	C(status, text, pgps_limit_status_name(limit->status)) \
	C(committed, int8, limit->committed.now) \
	C(committed_peak, int8, limit->committed.peak) \
	C(uncapped, int4, limit->committed.uncapped) \
	C(peak_used, int4, limit->peak_used) \
	C(peak_used_at, time, limit->peak_used_at) \
	C(rejected, int8, limit->rejected.count) \
	C(last_rejected, time, limit->rejected.last_rejected) \
	C(reserved, int4, limit->reserved)

/* Its role, database and server leave it so much. */
static void
apply_headroom(PgpsLimit *limit, const PgpsPoolKey *key, const List *limits)
{
	const ListCell *lc;

	limit->headroom = Max(limit->usable - limit->used, 0);
	limit->binding = PGPS_SCOPE_POOL;
	foreach(lc, limits)
	{
		const PgpsLimit *other = lfirst(lc);

		if (other->headroom < limit->headroom &&
			(other->scope == PGPS_SCOPE_SERVER ||
			 (other->scope == PGPS_SCOPE_ROLE && other->oid == key->roleid) ||
			 (other->scope == PGPS_SCOPE_DATABASE && other->oid == key->dbid)))
		{
			limit->headroom = other->headroom;
			limit->binding = other->binding;
		}
	}
}

static void
put_limit(PgpsRow *row, const PgpsLimit *limit)
{
	PGPS_PUT_ROW(BUDGET_COLUMNS);
}

/* The pools of which pool_limits refuses connections */
static void
put_pools(PgpsRow *row, const PgpsSnapshot *snapshot, const List *limits)
{
	PgpsLimited *limited = pgps_find_limited(snapshot);
	const PgpsPoolState *pool = NULL;

	while (limited != NULL && (pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		const PgpsLimited *found = &limited[pool - snapshot->pools];
		PgpsLimit	limit = {.scope = PGPS_SCOPE_POOL};
		PgpsNames	names;

		if (found->limit == NULL || found->limit->warns || found->exempt)
			continue;
		names = pgps_names(pool->data);
		namestrcpy(&limit.name, pool->data->key.name);
		limit.conn_limit = limit.usable = found->limit->max;
		limit.used = found->connections;
		limit.status = limit.used < limit.usable ? PGPS_LIMIT_OK : PGPS_LIMIT_FULL;
		limit.committed.now = pool->committed;
		limit.committed.peak = pool->peak_committed;
		limit.committed.uncapped = pool->uncapped;
		limit.peak_used = pool->peak_connections;
		limit.peak_used_at = pool->peak_connections_at;
		limit.rejected = pgps_rejected(snapshot->rejections,
									   pgps_pool_hash(names.role, names.database,
													  pool->data->key.name));
		apply_headroom(&limit, &pool->data->key, limits);
		put_limit(row, &limit);
	}
}

Datum
pgps_get_budget(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(BUDGET_COLUMNS);
	PgpsSnapshot snapshot = *pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	List	   *limits;
	ListCell   *lc;

	if (PG_GETARG_BOOL(0))
		snapshot.rejections = pgps_exported_rejections(fcinfo);
	limits = pgps_limits(&snapshot);
	foreach(lc, limits)
		put_limit(row, lfirst(lc));
	put_pools(row, &snapshot, limits);
	return (Datum) 0;
}
