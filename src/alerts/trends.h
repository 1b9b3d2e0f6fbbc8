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

/* what rules look back at */
typedef enum PgpsTrend
{
	/* of an instance */
	PGPS_TREND_WAIT_TIME,		/* microseconds */
	PGPS_TREND_WAIT_EVENTS,
	PGPS_TREND_TIMEOUTS,
	PGPS_TREND_ERRORS,
	PGPS_TREND_ENDED,			/* connections that did not only report */
	PGPS_TREND_XACTS,
	PGPS_INSTANCE_TRENDS,

	/* of the server: reports and connections without a row of their own */
	PGPS_TREND_OVERFLOWED = PGPS_INSTANCE_TRENDS,
	PGPS_TRENDS
} PgpsTrend;

/* collector only */
extern void pgps_trends_note(const PgpsSnapshot *snapshot,
							 const List *overrides);
extern int64 pgps_rise(const PgpsInstanceView *view, PgpsTrend what,
					   TimestampTz since);
extern int64 pgps_overflow_rise(TimestampTz since);

#endif							/* PGPS_TRENDS_H */
