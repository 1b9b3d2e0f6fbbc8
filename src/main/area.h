/*-------------------------------------------------------------------------
 *
 * area.h
 *	  The one area of shared memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_AREA_H
#define PGPS_AREA_H

extern void pgps_shmem_install(void);

#endif							/* PGPS_AREA_H */
