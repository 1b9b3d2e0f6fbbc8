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
#include "base/shmem.h"
#include "views/row.h"

PG_FUNCTION_INFO_V1(pgps_get_budget);

#define BUDGET_COLUMNS(C) \
	C(scope, text, pgps_scope_name(limit->scope)) \
	C(name, name, NameStr(limit->name)) \
	C(conn_limit, int4, limit->conn_limit) \
	C(usable, int4, limit->usable) \
	C(used, int4, limit->used) \
	C(starting, int4, server ? limit->starting : -1) \
	C(used_pct, pct, limit->usable > 0 ? 100.0 * limit->used / limit->usable : -1) \
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

static const PgpsColumn budget_columns[] = {BUDGET_COLUMNS(PGPS_COLUMN)};

static void
put_limit(PgpsRow *row, const PgpsLimit *limit)
{
	bool		server = limit->scope == PGPS_SCOPE_SERVER;

	BUDGET_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

Datum
pgps_get_budget(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	ListCell   *lc;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, budget_columns, lengthof(budget_columns));
	snapshot = PG_GETARG_BOOL(0) ? pgps_take_exported_snapshot() :
		pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	foreach(lc, pgps_limits(snapshot))
		put_limit(&row, lfirst(lc));
	return (Datum) 0;
}
