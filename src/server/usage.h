/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What the server as a whole uses, and how sessions' use is sampled.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_USAGE_H
#define PGPS_USAGE_H

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"

/* since the last reset; negative = unknown */
typedef struct PgpsServerUsage
{
	int64		cpu_time;
	int64		wal_bytes;
} PgpsServerUsage;

/* the same in the save file */
typedef struct PgpsSavedUsage
{
	TimestampTz reset;			/* since when */
	XLogRecPtr	wal_from;
	int64		wal_before;
	int64		cpu_time;
	int64		cpu_base;
} PgpsSavedUsage;

extern Size pgps_usage_size(void);
extern void pgps_usage_init(void *area, bool found);

extern void pgps_sample_cpu(void);
extern void pgps_sample_usage(TimestampTz now);
extern PgpsServerUsage pgps_measure_server(TimestampTz reset,
										   const PgpsServerUsage *accounted);
extern PgpsServerUsage pgps_exported_server(PgpsServerUsage usage);
extern int	pgps_usage_copy(PgpsSavedUsage *saved);
extern void pgps_usage_restore(const PgpsSavedUsage *saved, bool crashed);

#endif							/* PGPS_USAGE_H */
