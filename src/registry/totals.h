/*-------------------------------------------------------------------------
 *
 * totals.h
 *	  All that is counted of an instance, or of those a pool has lost.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TOTALS_H
#define PGPS_TOTALS_H

#include "dialects/fields.h"
#include "registry/activity.h"

typedef struct PgpsTotals
{
	PgpsValues	told;			/* its counters only */
	uint64		connects;
	uint64		disconnects;
	PgpsXactTotals xacts;
} PgpsTotals;

extern void pgps_totals_add(PgpsTotals *sum, const PgpsTotals *more);

#endif							/* PGPS_TOTALS_H */
