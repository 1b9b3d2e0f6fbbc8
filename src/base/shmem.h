/*-------------------------------------------------------------------------
 *
 * shmem.h
 *	  Is there shared memory, and the locks that guard its parts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SHMEM_H
#define PGPS_SHMEM_H

#include "storage/lwlock.h"

/* each guards the shared memory of the file it is named after */
typedef enum PgpsLock
{
	PGPS_REGISTRY_LOCK,
	PGPS_HISTORY_LOCK,
	PGPS_LOAD_LOCK,
	PGPS_QUERIES_LOCK,
	PGPS_ALERTS_LOCK,
	PGPS_INCIDENTS_LOCK,
	PGPS_ACTS_LOCK,
	PGPS_POOLERS_LOCK,
	PGPS_LOCKS
} PgpsLock;

/* NULL without shared_preload_libraries; set by main/area.c */
extern LWLockPadded *pgps_locks;

extern void pgps_acquire(PgpsLock which, LWLockMode mode);
extern void pgps_release(PgpsLock which);
extern bool pgps_is_loaded(void);
extern void pgps_ensure_loaded(void);

#endif							/* PGPS_SHMEM_H */
