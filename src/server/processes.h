/*-------------------------------------------------------------------------
 *
 * processes.h
 *	  What the operating system says of the server's processes.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PROCESSES_H
#define PGPS_PROCESSES_H

/* negative where the system does not tell */
extern int64 pgps_process_cpu_time(int pid);
extern int64 pgps_process_memory(int pid);
extern int64 pgps_all_cpu_time(void);

#endif							/* PGPS_PROCESSES_H */
