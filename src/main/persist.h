/*-------------------------------------------------------------------------
 *
 * persist.h
 *	  Saving and loading.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PERSIST_H
#define PGPS_PERSIST_H

extern void pgps_load(void);
extern bool pgps_save_now(void);
extern void pgps_save_at_shutdown(int code, Datum arg);

#endif							/* PGPS_PERSIST_H */
