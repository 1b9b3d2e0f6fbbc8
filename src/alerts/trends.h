/*-------------------------------------------------------------------------
 *
 * trends.h
 *	  How much counters rose within the last minutes.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TRENDS_H
#define PGPS_TRENDS_H

#include "analysis/snapshot.h"

/* what a rule may look back at: bits for PgpsRule.trends */
#define PGPS_TREND(counter) ((uint32) 1 << ((counter) - PGPS_FIRST_COUNTER))

/* of the whole server: reports and connections without a row of their own */
#define PGPS_TREND_OVERFLOWED ((uint32) 1 << PGPS_NCOUNTERS)

/* collector only */
extern void pgps_trends_note(const PgpsSnapshot *snapshot,
							 const List *overrides);
extern int64 pgps_rise(const PgpsInstanceView *view, int counter,
					   TimestampTz since);
extern int64 pgps_overflow_rise(TimestampTz since);

#endif							/* PGPS_TRENDS_H */
