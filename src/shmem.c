/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  The one area of shared memory: its size, its parts, its locks.
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

#include "alerts.h"
#include "backends.h"
#include "history.h"
#include "peaks.h"
#include "persist.h"
#include "poolers.h"
#include "registry.h"
#include "rejections.h"
#include "shmem.h"
#include "silences.h"

/* shows in pg_shmem_allocations and as wait event */
#define AREA_NAME "pgpool_stats"

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;
static void *area = NULL;
static LWLockPadded *locks = NULL;

/* the parts of the area, one after the other */
static const struct
{
	Size		(*size) (void);
	void		(*init) (void *area, bool found);
}			parts[] = {
	{pgps_registry_size, pgps_registry_init},
	{pgps_backends_size, pgps_backends_init},
	{pgps_peaks_size, pgps_peaks_init},
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
	bool		found;
	char	   *part;
	int			i;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	area = ShmemInitStruct(AREA_NAME, area_size(), &found);
	if (!found)
		memset(area, 0, area_size());
	locks = GetNamedLWLockTranche(AREA_NAME);
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

/*
 * Take a lock.  The postmaster is alone when it loads and saves, and has no
 * means to wait.
 */
void
pgps_acquire(PgpsLock which, LWLockMode mode)
{
	if (IsUnderPostmaster)
		LWLockAcquire(&locks[which].lock, mode);
}

void
pgps_release(PgpsLock which)
{
	if (IsUnderPostmaster)
		LWLockRelease(&locks[which].lock);
}

bool
pgps_is_loaded(void)
{
	return area != NULL;
}

/* Raise unless the library was loaded when the server started. */
void
pgps_ensure_loaded(void)
{
	if (!pgps_is_loaded())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pgpool_stats must be loaded via shared_preload_libraries"),
				 errhint("Add pgpool_stats to shared_preload_libraries and restart the server.")));
}
