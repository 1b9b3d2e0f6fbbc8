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

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/guc.h"

#include "alerts/acts.h"
#include "alerts/alerts.h"
#include "alerts/incidents.h"
#include "analysis/history.h"
#include "base/compat.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/registry.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_info);

#define INFO_COLUMNS(C) \
	C(loaded, bool, loaded) \
	C(version, text, PGPS_VERSION) \
	C(collector_pid, int4, info->collector_pid != 0 ? info->collector_pid : -1) \
	C(last_pass, time, info->last_pass) \
	C(sees_all, bool, loaded ? pgps_sees_all() : -1) \
	C(instances_used, int4, info->instances_used) \
	C(instances_max, int4, info->instances_max) \
	C(overflowed_instances, int8, info->overflowed) \
	C(unlabelled_connections, int4, loaded ? unlabelled() : -1) \
	C(unmapped_keys, int8, info->unmapped_keys) \
	C(dropped, int8, info->dropped) \
	C(stats_reset, time, info->stats_reset) \
	C(started_at, time, info->started_at) \
	C(notes, text, loaded ? blind_spots(info) : NULL)

static int
unlabelled(void)
{
	int			nbackends;
	const PgpsBackend *backends = pgps_registry_backends(&nbackends);
	int			count = 0;
	int			i;

	for (i = 0; i < nbackends; i++)
		count += !backends[i].labelled;
	return count;
}

static void
note_incidents(StringInfo notes)
{
	int64		acts = pgps_acts_left_out();
	int			without_place;
	int64		gave_way;

	pgps_incidents_left_out(&without_place, &gave_way);
	if (without_place > 0)
		pgps_note(notes, psprintf("%d incidents have no place: raise pgpool_stats.max_incidents",
								  without_place));
	if (gave_way > 0)
		pgps_note(notes, psprintf(INT64_FORMAT " incidents gave way to newer ones: pgpool_stats.max_incidents is how many are kept",
								  gave_way));
	if (acts > 0)
		pgps_note(notes, psprintf(INT64_FORMAT " of terminate() and drain() %s in the server log only: there were many at once",
								  acts, acts == 1 ? "is" : "are"));
}

static void
note_alerts(StringInfo notes)
{
	PgpsAlerts *alerts = pgps_alerts_copy();
	uint64		lost = pgps_events_lost();

	if (alerts->without_place > 0)
		pgps_note(notes, psprintf("%d of %d alerts left out: raise pgpool_stats.max_alerts",
								  alerts->without_place,
								  alerts->without_place + alerts->count));
	if (lost > 0)
		pgps_note(notes, psprintf(UINT64_FORMAT " alerts not sent by NOTIFY for want of room: raise pgpool_stats.max_alerts",
								  lost));
	note_incidents(notes);
}

/* What is not read of poolers, of all together */
static void
note_poolers(StringInfo notes)
{
	const PgpsPooler *poolers = pgps_poolers_copy();
	int			left_out = pgps_poolers_left_out();
	int			pools = 0;
	bool		nodes = false;
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		if (poolers[i].name[0] == '\0')
			continue;
		pools += poolers[i].pools_left_out;
		nodes |= poolers[i].nodes_left_out;
	}
	if (left_out > 0)
		pgps_note(notes, psprintf("%d poolers are not polled: there is room for %d, each with a name of its own, and for %d addresses of a host",
								  left_out, PGPS_MAX_POOLERS, PGPS_MAX_PLACES));
	if (pools > 0)
		pgps_note(notes, psprintf("%d pools of poolers, or more, are left out: of one pooler %d are read",
								  pools, PGPS_MAX_POOLER_POOLS));
	if (nodes)
		pgps_note(notes, psprintf("of Pgpool-II, connections to its first %d nodes are looked at",
								  PGPS_MAX_NODES));
}

/* What cannot be seen, and why */
static const char *
blind_spots(const PgpsRegistryInfo *info)
{
	StringInfoData notes;
	int			without;
	int64		given_up;

	initStringInfo(&notes);
	if (!pgstat_track_activities)
		pgps_note(&notes, "track_activities is off: in_xact and state are not seen");
	if (pgps_track_queries && !IsQueryIdEnabled())
		pgps_note(&notes, "no query ids are computed, so top_queries is empty: see compute_query_id");
	if (strstr(GetConfigOption("log_min_messages", false, false), "panic"))
		pgps_note(&notes, "log_min_messages is panic: rejected connections and why sessions end are not seen");
	else if (strstr(GetConfigOption("log_min_messages", false, false), "fatal"))
		pgps_note(&notes, "log_min_messages is above log: a connection that was reset, or broke the protocol, counts as lost");
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
	pgps_history_left_out(&without, &given_up);
	if (without > 0 || given_up > 0)
		pgps_note(&notes, psprintf("%d pools have no history, " INT64_FORMAT " gave theirs up: raise pgpool_stats.history_pools",
								   without, given_up));
	note_alerts(&notes);
	note_poolers(&notes);
	if (pgps_rejections_left_out(pgps_rejections_copy()))
		pgps_note(&notes, "rejections of more origins than there is room for stand under (other): raise pgpool_stats.max_rejections");
	if (info->crashed)
		pgps_note(&notes, "after a crash, counters went on from the last save");
	return notes.data;
}

static void
put_info(PgpsRow *row, bool loaded, const PgpsRegistryInfo *info)
{
	PGPS_PUT_ROW(INFO_COLUMNS);
}

/*
 * One row, also when the library is not loaded.  No instance is looked at for
 * it.
 */
Datum
pgps_get_info(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_ROWS(INFO_COLUMNS);
	PgpsRegistryInfo info = {
		.instances_max = -1,
		.instances_used = -1,
		.overflowed = -1,
		.unmapped_keys = -1,
		.dropped = -1
	};

	if (pgps_is_loaded())
		pgps_registry_info(&info);
	put_info(row, pgps_is_loaded(), &info);
	return (Datum) 0;
}
