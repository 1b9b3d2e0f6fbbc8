/*-------------------------------------------------------------------------
 *
 * main.h
 *	  What is put together here: settings, shared memory, collector, saving.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_MAIN_H
#define PGPS_MAIN_H

#include "datatype/timestamp.h"

/* guc.c */
extern void pgps_define_settings(bool preloading);

/* area.c */
extern void pgps_shmem_install(void);

/* collector.c */
extern void pgps_collector_register(void);
extern PGDLLEXPORT void pgps_collector_main(Datum arg);

/* saver.c */
extern Size pgps_saver_size(void);
extern void pgps_saver_init(void *area, bool found);
extern void pgps_save_if_due(TimestampTz now);
extern PGDLLEXPORT void pgps_saver_main(Datum arg);

/* persist.c */
extern void pgps_load(void);
extern void pgps_save_now(void);
extern void pgps_save_at_shutdown(int code, Datum arg);

#endif							/* PGPS_MAIN_H */
