/*-------------------------------------------------------------------------
 *
 * views_server.c
 *	  The functions behind the views budget and info, and the refusals by
 *	  reason that metrics has.
 *
 * The numbers of the budget are public in the catalogs and in
 * pg_stat_activity already: everybody sees them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/guc.h"

#include "analysis/budget.h"
#include "analysis/snapshot.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_budget);
PG_FUNCTION_INFO_V1(pgps_get_refusals);
PG_FUNCTION_INFO_V1(pgps_get_info);

Datum
pgps_get_budget(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	ListCell   *lc;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = PG_GETARG_BOOL(0) ? pgps_take_exported_snapshot() :
		pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	foreach(lc, pgps_limits(snapshot))
	{
		const PgpsLimit *limit = lfirst(lc);
		bool		server = limit->scope == PGPS_SCOPE_SERVER;

		pgps_put_text(&row, pgps_scope_name(limit->scope));
		pgps_put_name(&row, NameStr(limit->name));
		if (limit->conn_limit >= 0)
			pgps_put_int4(&row, limit->conn_limit);
		else
			pgps_put_null(&row);
		pgps_put_int4(&row, limit->usable);
		pgps_put_int4(&row, limit->used);
		if (server)
			pgps_put_int4(&row, limit->starting);
		else
			pgps_put_null(&row);
		pgps_put_pct(&row, limit->usable > 0 ?
					 100.0 * limit->used / limit->usable : -1);
		pgps_put_int4(&row, limit->headroom);
		pgps_put_text(&row, pgps_scope_name(limit->binding));
		pgps_put_text(&row, pgps_limit_status_name(limit->status));
		pgps_put_int8(&row, limit->committed.now);
		pgps_put_int8(&row, limit->committed.peak);
		pgps_put_int4(&row, limit->committed.uncapped);
		pgps_put_int4(&row, limit->peak_used);
		pgps_put_time(&row, limit->peak_used_at);
		pgps_put_int8(&row, limit->rejected.count);
		pgps_put_time(&row, limit->rejected.last_rejected);
		pgps_put_int4(&row, limit->reserved);
		pgps_row_end(&row);
	}
	return (Datum) 0;
}

/* As exporters get them, a row for each reason */
Datum
pgps_get_refusals(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsRejections *rejections;
	int			reason;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	rejections = pgps_rejections_copy();
	pgps_rejections_leave_out_base(rejections);
	for (reason = 0; reason < PGPS_REASONS; reason++)
	{
		pgps_put_text(&row, pgps_reason_name(reason));
		pgps_put_int8(&row, pgps_rejected(rejections,
										  pgps_reason_hash(reason)).count);
		pgps_row_end(&row);
	}
	return (Datum) 0;
}

/* What is not to be seen, and why */
static const char *
blind_spots(bool crashed)
{
	StringInfoData notes;

	initStringInfo(&notes);
	if (!pgstat_track_activities)
		pgps_note(&notes, "track_activities is off: in_xact and state are not seen");
	if (strstr(GetConfigOption("log_min_messages", false, false), "panic"))
		pgps_note(&notes, "log_min_messages is panic: refused connections are not seen");
	if (pgps_track == PGPS_TRACK_NONE)
		pgps_note(&notes, "pgpool_stats.track leaves out all connections");
	else if (pgps_track == PGPS_TRACK_LABELLED)
		pgps_note(&notes, "pgpool_stats.track leaves out unlabelled connections");
	if (crashed)
		pgps_note(&notes, "after a crash, counters went on from the last save");
	return notes.data;
}

/* One row, also when the library is not loaded */
Datum
pgps_get_info(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	int			used = 0,
				unlabelled = 0;
	int			i;

	pgps_rows_begin(&row, fcinfo);
	pgps_put_bool(&row, pgps_is_loaded());
	pgps_put_text(&row, PGPS_VERSION);
	if (!pgps_is_loaded())
	{
		pgps_put_nulls(&row, 12);
		pgps_row_end(&row);
		return (Datum) 0;
	}

	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	for (i = 0; i < snapshot->ninstances; i++)
		used += !snapshot->instances[i].data->other;
	for (i = 0; i < snapshot->nbackends; i++)
		unlabelled += !snapshot->backends[i].labelled;

	if (snapshot->info.collector_pid != 0)
		pgps_put_int4(&row, snapshot->info.collector_pid);
	else
		pgps_put_null(&row);
	pgps_put_time(&row, snapshot->info.last_pass);
	pgps_put_bool(&row, pgps_sees_all());
	pgps_put_int4(&row, used);
	pgps_put_int4(&row, snapshot->info.instances_max);
	pgps_put_int8(&row, snapshot->info.overflowed);
	pgps_put_int4(&row, unlabelled);
	pgps_put_int8(&row, snapshot->info.unmapped_keys);
	pgps_put_int8(&row, snapshot->info.dropped);
	pgps_put_time(&row, snapshot->info.stats_reset);
	pgps_put_time(&row, snapshot->info.started_at);
	pgps_put_text(&row, blind_spots(snapshot->info.crashed));
	pgps_row_end(&row);
	return (Datum) 0;
}
