/*-------------------------------------------------------------------------
 *
 * session_trends.h
 *	  How the connections of pools were made and lost within the last minutes.
 *
 * For the collector alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SESSION_TRENDS_H
#define PGPS_SESSION_TRENDS_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "analysis/snapshot.h"
#include "registry/life.h"

typedef struct PgpsLostSessions
{
	int64		ended;
	int64		lost;			/* of these */
	int64		of_most;		/* of these, for the reason ... */
	PgpsEndReason most;			/* ... that ended most of them */
} PgpsLostSessions;

extern void pgps_session_trends_note(const PgpsSnapshot *snapshot,
									 const List *overrides);
extern void pgps_sessions_lost(const PgpsPoolState *pool, TimestampTz since,
							   PgpsLostSessions *out);
extern int64 pgps_connect_times(const PgpsPoolState *pool, TimestampTz since,
								uint32 *histogram);

#endif							/* PGPS_SESSION_TRENDS_H */
