/*-------------------------------------------------------------------------
 *
 * area.c
 *	  Our shared memory: its parts and their size.
 *
 * Everything is allocated when the server starts and never grows.  Copyable
 * state is loaded from the save file right here, before any other process
 * exists.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "alerts/acts.h"
#include "alerts/alerts.h"
#include "alerts/incidents.h"
#include "analysis/history.h"
#include "analysis/load.h"
#include "base/shmem.h"
#include "main/main.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/known.h"
#include "registry/life.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/queries.h"
#include "server/rejections.h"
#include "server/usage.h"

/* shows as wait event */
#define TRANCHE_NAME "pgpool_stats"

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* they show by these names in pg_shmem_allocations */
static const struct
{
	const char *name;
	Size		(*size) (void);
	void		(*init) (void *area, bool found);
}			parts[] = {
	{"pgpool_stats registry", pgps_registry_size, pgps_registry_init},
	{"pgpool_stats sessions", pgps_sessions_size, pgps_sessions_init},
	{"pgpool_stats backends", pgps_backends_size, pgps_backends_init},
	{"pgpool_stats bindings", pgps_bindings_size, pgps_bindings_init},
	{"pgpool_stats peaks", pgps_peaks_size, pgps_peaks_init},
	{"pgpool_stats known", pgps_known_size, pgps_known_init},
	{"pgpool_stats rejected", pgps_rejected_size, pgps_rejected_init},
	{"pgpool_stats usage", pgps_usage_size, pgps_usage_init},
	{"pgpool_stats rejections", pgps_rejections_size, pgps_rejections_init},
	{"pgpool_stats history", pgps_history_size, pgps_history_init},
	{"pgpool_stats load", pgps_load_size, pgps_load_init},
	{"pgpool_stats queries", pgps_queries_size, pgps_queries_init},
	{"pgpool_stats alerts", pgps_alerts_size, pgps_alerts_init},
	{"pgpool_stats incidents", pgps_incidents_size, pgps_incidents_init},
	{"pgpool_stats acts", pgps_acts_size, pgps_acts_init},
	{"pgpool_stats silences", pgps_silences_size, pgps_silences_init},
	{"pgpool_stats notifier", pgps_notifier_size, pgps_notifier_init},
	{"pgpool_stats poolers", pgps_poolers_size, pgps_poolers_init},
	{"pgpool_stats saver", pgps_saver_size, pgps_saver_init}
};

static Size
all_parts_size(void)
{
	Size		size = 0;
	int			i;

	for (i = 0; i < lengthof(parts); i++)
		size = add_size(size, CACHELINEALIGN(parts[i].size()));
	return size;
}

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(all_parts_size());
	RequestNamedLWLockTranche(TRANCHE_NAME, PGPS_LOCKS);
}

static void
startup_shmem(void)
{
	bool		found = false;
	int			i;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);

	/* fresh memory is zeroed; what is not used of it stays untouched */
	pgps_locks = GetNamedLWLockTranche(TRANCHE_NAME);
	for (i = 0; i < lengthof(parts); i++)
	{
		void	   *part = ShmemInitStruct(parts[i].name, parts[i].size(), &found);

		parts[i].init(part, found);
	}
	LWLockRelease(AddinShmemInitLock);

	if (!found && !IsUnderPostmaster)
	{
		pgps_load();
		on_shmem_exit(pgps_save_at_shutdown, (Datum) 0);
	}
}

/* Called while the server loads its libraries */
void
pgps_shmem_install(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}
