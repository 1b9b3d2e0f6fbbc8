/*-------------------------------------------------------------------------
 *
 * local.h
 *	  Marks a variable or function that no other library knows.
 *
 * What others might define is reached through a table of addresses.  What every
 * transaction needs is not.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LOCAL_H
#define PGPS_LOCAL_H

#if defined(__GNUC__) && !defined(WIN32)
#define PGPS_LOCAL __attribute__((visibility("hidden")))
#else
#define PGPS_LOCAL
#endif

#endif							/* PGPS_LOCAL_H */
