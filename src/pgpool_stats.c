/*-------------------------------------------------------------------------
 *
 * pgpool_stats.c
 *	  What client connection pools hold, and whether it fits.
 *
 * Not related to Pgpool-II.  Where to find what:
 *
 *	 fields, dialect_table, words			the words of the pool libraries
 *	 parse, document, detect, dialect, figures, numbers
 *											from their statistics to our fields
 *	 identity, counters, totals, status, instance
 *											pure functions on names and numbers
 *	 shmem, entries, registry, backends		shared memory
 *	 activity, peaks, rejections, origin	what the server itself counts
 *	 poolers, pooler_list, console*, table, names, poller/
 *											external poolers, and who asks them
 *	 events, collector, upkeep				what keeps it up to date
 *	 persist, restore						over a restart
 *	 snapshot, budget						what readers start from
 *	 history, load, sizing, cores			what was, and how much is needed
 *	 leaks, pids, locks						who does not give back
 *	 rules, trends, conditions, limit_conditions, alerts, silences, notifier
 *											what is wrong, and who is told
 *	 report, plan, views*, connections, overview, row
 *											what SQL calls
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "collector.h"
#include "compat.h"
#include "events.h"
#include "rejections.h"
#include "settings.h"
#include "shmem.h"
#include "words.h"

PGPS_MODULE_MAGIC("pgpool_stats", PGPS_VERSION);

extern PGDLLEXPORT void _PG_init(void);

/*
 * Without shared_preload_libraries, only the settings exist: CREATE EXTENSION
 * and pg_upgrade must work, the functions say what is missing.
 */
void
_PG_init(void)
{
	pgps_define_settings(process_shared_preload_libraries_in_progress);
	if (!process_shared_preload_libraries_in_progress)
		return;

	pgps_words_init();
	pgps_shmem_install();
	pgps_events_install();
	pgps_rejections_install();
	if (!IsBinaryUpgrade)
		pgps_collector_register();
}
