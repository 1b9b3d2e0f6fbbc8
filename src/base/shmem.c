/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  Is there shared memory, and the locks that guard its parts.
 *
 * What is in it is put together in main/area.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/shmem.h"

LWLockPadded *pgps_locks = NULL;

/*
 * Take a lock.  The postmaster is alone when it loads and saves, and has no
 * means to wait.
 */
void
pgps_acquire(PgpsLock which, LWLockMode mode)
{
	if (IsUnderPostmaster)
		LWLockAcquire(&pgps_locks[which].lock, mode);
}

void
pgps_release(PgpsLock which)
{
	if (IsUnderPostmaster)
		LWLockRelease(&pgps_locks[which].lock);
}

bool
pgps_is_loaded(void)
{
	return pgps_locks != NULL;
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
