/*-------------------------------------------------------------------------
 *
 * shmem.h
 *	  The one area of shared memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SHMEM_H
#define PGPS_SHMEM_H

extern void pgps_shmem_install(void);
extern bool pgps_is_loaded(void);
extern void pgps_ensure_loaded(void);

#endif							/* PGPS_SHMEM_H */
