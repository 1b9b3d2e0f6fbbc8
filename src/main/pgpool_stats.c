/*-------------------------------------------------------------------------
 *
 * pgpool_stats.c
 *	  What client connection pools hold, and whether it fits.
 *
 * Not related to Pgpool-II.  The folders of the source, lowest first: each
 * includes only those above it (the table src/layers, checked by make lint).
 *
 *	 base		what everybody needs: settings, texts, names, locks, versions
 *	 dialects	from the statistics of a pool library to our fields
 *	 registry	pools, instances and connections in shared memory
 *	 poolers	what external poolers say
 *	 server		what the server itself sees: hooks, rejections, locks, cores
 *	 analysis	from a copy of it all to a judgement
 *	 alerts		what is wrong, and how it is announced
 *	 views		what SQL calls, each view's C beside its SQL
 *	 main		putting it together: settings, shared memory, collector, saving
 *	 poller		a library of its own, with libpq: the worker that asks poolers
 *
 * How data flows from one to the other is described in CONTRIBUTING.md.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "dialects/words.h"
#include "main/main.h"
#include "server/events.h"
#include "server/life.h"
#include "server/rejections.h"

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
	pgps_life_install();
	if (!IsBinaryUpgrade)
		pgps_collector_register();
}
