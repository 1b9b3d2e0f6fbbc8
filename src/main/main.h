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

/* guc.c */
extern void pgps_define_settings(bool preloading);

/* area.c */
extern void pgps_shmem_install(void);

/* collector.c */
extern void pgps_collector_register(void);
extern PGDLLEXPORT void pgps_collector_main(Datum arg);

/* persist.c */
extern void pgps_load(void);
extern bool pgps_save_now(void);
extern void pgps_save_at_shutdown(int code, Datum arg);

#endif							/* PGPS_MAIN_H */
