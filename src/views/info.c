/*-------------------------------------------------------------------------
 *
 * info.c
 *	  The function behind the view info.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/backend_status.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "analysis/snapshot.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_info);

#define INFO_COLUMNS(C) \
	C(loaded, bool, snapshot != NULL) \
	C(version, text, PGPS_VERSION) \
	C(collector_pid, int4, info->collector_pid != 0 ? info->collector_pid : -1) \
	C(last_pass, time, info->last_pass) \
	C(sees_all, bool, snapshot != NULL ? pgps_sees_all() : -1) \
	C(instances_used, int4, snapshot != NULL ? instances_used(snapshot) : -1) \
	C(instances_max, int4, info->instances_max) \
	C(overflowed_instances, int8, info->overflowed) \
	C(unlabelled_connections, int4, snapshot != NULL ? unlabelled(snapshot) : -1) \
	C(unmapped_keys, int8, info->unmapped_keys) \
	C(dropped, int8, info->dropped) \
	C(stats_reset, time, info->stats_reset) \
	C(started_at, time, info->started_at) \
	C(notes, text, snapshot != NULL ? blind_spots(snapshot) : NULL)

static int
instances_used(const PgpsSnapshot *snapshot)
{
	int			count = 0;
	int			i;

	for (i = 0; i < snapshot->ninstances; i++)
		count += !snapshot->instances[i].data->other;
	return count;
}

static int
unlabelled(const PgpsSnapshot *snapshot)
{
	int			count = 0;
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
		count += !snapshot->backends[i].labelled;
	return count;
}

/* What cannot be seen, and why */
static const char *
blind_spots(const PgpsSnapshot *snapshot)
{
	const PgpsRegistryInfo *info = &snapshot->info;
	StringInfoData notes;

	initStringInfo(&notes);
	if (!pgstat_track_activities)
		pgps_note(&notes, "track_activities is off: in_xact and state are not seen");
	if (strstr(GetConfigOption("log_min_messages", false, false), "panic"))
		pgps_note(&notes, "log_min_messages is panic: rejected connections are not seen");
	if (pgps_track == PGPS_TRACK_NONE)
		pgps_note(&notes, "pgpool_stats.track leaves out all connections");
	else if (pgps_track == PGPS_TRACK_LABELLED)
		pgps_note(&notes, "pgpool_stats.track leaves out unlabelled connections");
	if (info->collector_pid == 0)
		pgps_note(&notes, max_worker_processes == 0 ?
				  "max_worker_processes is 0: no collector, so no alerts, history and expiry" :
				  "the collector does not run, so no alerts, history and expiry: see the server log");
	if (info->overflowed > 0)
		pgps_note(&notes, "registry too small: reports or connections stand under (other)");
	if (pgps_rejections_left_out(snapshot->rejections))
		pgps_note(&notes, "rejections of more origins than there is room for stand under (other): raise pgpool_stats.max_rejections");
	if (info->crashed)
		pgps_note(&notes, "after a crash, counters went on from the last save");
	return notes.data;
}

/* "snapshot" is NULL when the library is not loaded. */
static void
put_info(PgpsRow *row, const PgpsSnapshot *snapshot)
{
	static const PgpsRegistryInfo unknown = {
		.instances_max = -1,
		.overflowed = -1,
		.unmapped_keys = -1,
		.dropped = -1
	};
	const PgpsRegistryInfo *info = snapshot != NULL ? &snapshot->info : &unknown;

	PGPS_PUT_ROW(INFO_COLUMNS);
}

/* One row, also when the library is not loaded */
Datum
pgps_get_info(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_ROWS(INFO_COLUMNS);

	put_info(row, pgps_is_loaded() ?
			 pgps_take_snapshot(PGPS_NO_HISTOGRAMS) : NULL);
	return (Datum) 0;
}
