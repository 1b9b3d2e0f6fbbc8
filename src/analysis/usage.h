/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What the server uses, and what of that the pools do.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ANALYSIS_USAGE_H
#define PGPS_ANALYSIS_USAGE_H

#include "analysis/snapshot.h"
#include "server/usage.h"

typedef struct PgpsUsage
{
	PgpsServerUsage server;		/* what is measured */
	PgpsServerUsage rest;		/* what of that no pool has */
	int64		memory;			/* of client backends, bytes ... */
	int			memory_sampled;
	int64		rest_memory;
	int			rest_sampled;
} PgpsUsage;

extern PgpsUsage pgps_usage(const PgpsSnapshot *snapshot);
extern void pgps_usage_note(const PgpsSnapshot *snapshot);

#endif							/* PGPS_ANALYSIS_USAGE_H */
