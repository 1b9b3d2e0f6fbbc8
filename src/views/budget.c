/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  The function behind the view budget.
 *
 * Its numbers are public in the catalogs and in pg_stat_activity already:
 * everybody sees them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/budget.h"
#include "views/row.h"
#include "views/statement.h"

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

Datum
pgps_get_budget(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(BUDGET_COLUMNS);
	PgpsSnapshot snapshot = *pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	ListCell   *lc;

	if (PG_GETARG_BOOL(0))
		snapshot.rejections = pgps_exported_rejections(fcinfo);
	foreach(lc, pgps_limits(&snapshot))
	{
		const PgpsLimit *limit = lfirst(lc);

		PGPS_PUT_ROW(BUDGET_COLUMNS);
	}
	return (Datum) 0;
}
