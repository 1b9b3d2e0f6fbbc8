/*-------------------------------------------------------------------------
 *
 * status.h
 *	  From what was reported and what the server sees to the figures we show.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_STATUS_H
#define PGPS_STATUS_H

#include "datatype/timestamp.h"

#include "dialects/fields.h"

/* In order of severity; "gone" is no health and never rolls up */
typedef enum PgpsStatus
{
	PGPS_GONE,
	PGPS_OK,
	PGPS_FULL,
	PGPS_LOST,
	PGPS_SILENT,
	PGPS_WAITING_STATUS,
	PGPS_EXHAUSTED,
	PGPS_STALLED
} PgpsStatus;

/* of the server, a database or a role: how near its limit it is */
typedef enum PgpsLimitStatus
{
	PGPS_LIMIT_OK,
	PGPS_LIMIT_FULL,
	PGPS_LIMIT_WARNING,
	PGPS_LIMIT_CRITICAL
} PgpsLimitStatus;

/* what the server itself sees of an instance */
typedef struct PgpsServerState
{
	int			connections;
	int			labelled;		/* of those, with a label of their own */
	int			in_xact;
	int			idle_in_xact;
	int			pooled;			/* of those, held by a pooler that is polled */
	bool		via_pooler;
	int			reporters;		/* of those, only there to report */
	int64		memory;			/* bytes ... */
	int			memory_sampled; /* ... of so many of those */
	int			active;			/* amid a statement, and not waiting for their
								 * client */
	TimestampTz last_xact;		/* newest start of a transaction; 0 = none */
	TimestampTz last_end;		/* newest end of one */
	TimestampTz last_statement; /* of those that do more than report */
	bool		not_lost;		/* that it does not report has another reason */
	TimestampTz looked_at;		/* until then it is known whether that is so */
} PgpsServerState;

/* what was reported of an instance, and when */
typedef struct PgpsReported
{
	PgpsValues	report;			/* without its counters */
	PgpsValues	label;
	TimestampTz last_report;	/* 0 = never */
	TimestampTz last_seen;
	int64		report_interval;	/* microseconds; 0 = not known yet */
	bool		said_goodbye;
	bool		labelled;		/* it has or had connections with its label */
	bool		other;			/* the row of those without room */
	bool		polled;			/* does not report by itself: we ask */
	bool		multiplexed;	/* its connections are not its own */
	bool		elsewhere;		/* not about connections to this server */
	bool		by_timer;		/* reports whether it works or not */
	int64		ghosts;			/* lent out, but not here when it reported */
	TimestampTz stalled_since;	/* by its reports; 0 = it is not */
	TimestampTz ended_at;		/* when its last connection went; 0 = never */
} PgpsReported;

typedef struct PgpsJudgement
{
	PgpsStatus	status;
	TimestampTz since;			/* when that began, if it is new */
	bool		reported;		/* the figures come from a report */
	bool		late;
	TimestampTz late_at;		/* when it becomes, or became, late */
	int64		unclaimed;		/* here but not claimed; -1 = cannot tell */
	int64		ghosts;			/* lent out but not here; -1 = cannot tell */
	PgpsValues	shown;			/* figures to show */
} PgpsJudgement;

extern int64 pgps_late_after(int64 report_interval);
extern int64 pgps_median_interval(const int64 *intervals, int n);
extern void pgps_judge(PgpsJudgement *out, const PgpsReported *reported,
					   const PgpsServerState *server, TimestampTz now,
					   TimestampTz started_at);
extern void pgps_judge_cap(PgpsValues *shown, const PgpsReported *reported);
extern const char *pgps_status_name(PgpsStatus status);

#endif							/* PGPS_STATUS_H */
