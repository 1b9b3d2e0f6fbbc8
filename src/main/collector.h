/*-------------------------------------------------------------------------
 *
 * collector.h
 *	  The background worker.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COLLECTOR_H
#define PGPS_COLLECTOR_H

extern void pgps_collector_register(void);
extern PGDLLEXPORT void pgps_collector_main(Datum arg);

#endif							/* PGPS_COLLECTOR_H */
