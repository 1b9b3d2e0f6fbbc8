/*-------------------------------------------------------------------------
 *
 * area.c
 *	  The one area of shared memory: its parts and their size.
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

#include "alerts/alerts.h"
#include "analysis/history.h"
#include "base/shmem.h"
#include "main/main.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/bindings.h"
#include "registry/known.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "server/rejections.h"

/* shows in pg_shmem_allocations and as wait event */
#define AREA_NAME "pgpool_stats"

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* the parts of the area, one after the other */
static const struct
{
	Size		(*size) (void);
	void		(*init) (void *area, bool found);
}			parts[] = {
	{pgps_registry_size, pgps_registry_init},
	{pgps_backends_size, pgps_backends_init},
	{pgps_bindings_size, pgps_bindings_init},
	{pgps_peaks_size, pgps_peaks_init},
	{pgps_known_size, pgps_known_init},
	{pgps_rejected_size, pgps_rejected_init},
	{pgps_rejections_size, pgps_rejections_init},
	{pgps_history_size, pgps_history_init},
	{pgps_alerts_size, pgps_alerts_init},
	{pgps_silences_size, pgps_silences_init},
	{pgps_notifier_size, pgps_notifier_init},
	{pgps_poolers_size, pgps_poolers_init}
};

static Size
area_size(void)
{
	Size		size = 0;
	int			i;

	for (i = 0; i < lengthof(parts); i++)
		size = add_size(size, MAXALIGN(parts[i].size()));
	return size;
}

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(area_size());
	RequestNamedLWLockTranche(AREA_NAME, PGPS_LOCKS);
}

static void
startup_shmem(void)
{
	void	   *area;
	bool		found;
	char	   *part;
	int			i;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);

	/* a fresh segment is zeroed; what is not used of it stays untouched */
	area = ShmemInitStruct(AREA_NAME, area_size(), &found);
	pgps_locks = GetNamedLWLockTranche(AREA_NAME);
	part = area;
	for (i = 0; i < lengthof(parts); i++)
	{
		parts[i].init(part, found);
		part += MAXALIGN(parts[i].size());
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
