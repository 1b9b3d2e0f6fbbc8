/*-------------------------------------------------------------------------
 *
 * cores.h
 *	  How many CPU cores the server may use.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CORES_H
#define PGPS_CORES_H

extern double pgps_cpu_count(void);

#endif							/* PGPS_CORES_H */
