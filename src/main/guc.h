/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  Defining the settings of pgpool_stats.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_GUC_H
#define PGPS_GUC_H

extern void pgps_define_settings(bool preloading);

#endif							/* PGPS_GUC_H */
