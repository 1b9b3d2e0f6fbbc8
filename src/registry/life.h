/*-------------------------------------------------------------------------
 *
 * life.h
 *	  How the connections of a pool were made, how long they lived and how
 *	  they ended.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LIFE_H
#define PGPS_LIFE_H

#include "datatype/timestamp.h"

#include "registry/histogram.h"
#include "registry/registry.h"

typedef enum PgpsEndReason
{
	PGPS_END_CLIENT_CLOSED,
	PGPS_END_CONNECTION_LOST,
	PGPS_END_CONNECTION_RESET,
	PGPS_END_IDLE_SESSION_TIMEOUT,
	PGPS_END_IDLE_IN_XACT_TIMEOUT,
	PGPS_END_XACT_TIMEOUT,		/* 17 */
	PGPS_END_TERMINATED,
	PGPS_END_SHUTDOWN,
	PGPS_END_RECOVERY_CONFLICT,
	PGPS_END_PROTOCOL_VIOLATION,
	PGPS_END_ERROR,
	PGPS_END_CRASH,
	PGPS_END_REASONS
} PgpsEndReason;

/* in core's words: what pg_stat_database counts it as */
typedef enum PgpsEndCause
{
	PGPS_CAUSE_NORMAL,
	PGPS_CAUSE_ABANDONED,
	PGPS_CAUSE_FATAL,
	PGPS_CAUSE_KILLED
} PgpsEndCause;

/* the end of one session */
typedef struct PgpsSessionEnd
{
	PgpsEndReason reason;
	PgpsEndCause cause;
	int			sqlstate;		/* as logged; 0 = nothing was */
	bool		in_xact;
	bool		only_reported;
	int64		lasted;			/* microseconds */
	int64		xacts;
} PgpsSessionEnd;

/* ends that are alike */
typedef struct PgpsEnds
{
	int64		count;			/* 0 = unused */
	TimestampTz last_at;
	int32		last_pid;		/* 0 = unknown */
	int32		sqlstate;		/* 0 = none, or not always the same */
	uint8		reason;			/* PgpsEndReason */
	bool		in_xact;
} PgpsEnds;

/*
 * A place for each reason, idle and in a transaction, and some for those whose
 * SQLSTATE is another than the usual one of their reason.
 */
#define PGPS_USUAL_ENDS (2 * PGPS_END_REASONS)
#define PGPS_OTHER_ENDS 8
#define PGPS_ENDS (PGPS_USUAL_ENDS + PGPS_OTHER_ENDS)

/* how long something took: how often, in the buckets of histogram.h, and all of it */
typedef struct PgpsTook
{
	uint32		count[PGPS_XACT_BUCKETS];
	int64		total;			/* microseconds */
} PgpsTook;

/*
 * Of a pool.  Histograms have the buckets of activity.h; what is counted there
 * stays at the end of its range.
 */
typedef struct PgpsSessions
{
	PgpsTook	connect;
	PgpsTook	auth;			/* of that, to be let in */
	PgpsTook	connect_base;	/* the part that exporters leave out, see */
	PgpsTook	auth_base;		/* restore.c */
	uint32		age[PGPS_XACT_BUCKETS]; /* at the end, milliseconds */
	int64		max_age;		/* microseconds */
	int64		work_sessions;	/* ended, and did more than report */
	int64		work_xacts;
	PgpsEnds	ends[PGPS_ENDS];
	int64		lost[PGPS_END_REASONS]; /* that the application did not want
										 * to end */
	int64		base[PGPS_END_REASONS]; /* the part of the ends that exporters
										 * leave out, see restore.c */
	int32		crashed;		/* ended by the crash that this server began
								 * with */
} PgpsSessions;

/* as saved */
typedef struct PgpsSessionsCopy
{
	int32		pool;			/* number of its entry */
	int32		connections;	/* when the pool was copied */
	int64		ended_since;	/* sessions; their ends are in the data, which
								 * was copied later */
	PgpsSessions data;
} PgpsSessionsCopy;

extern Size pgps_sessions_size(void);
extern void pgps_sessions_init(void *area, bool found);

/* for the registry alone: "pool" is the number of an entry that stays */
extern void pgps_sessions_start(int32 pool, bool fresh);
extern void pgps_sessions_reset(int32 pool);
extern void pgps_sessions_end(int32 pool, const PgpsSessionEnd *end);
extern void pgps_count_end(PgpsInstance *data, const PgpsSessionEnd *end,
						   TimestampTz now);

/* this session ends, in sessions.c */
extern void pgps_registry_leave(const PgpsSessionEnd *end);

/* of this session; times are microseconds, negative = unknown */
extern void pgps_session_made(int64 connect_time, int64 auth_time);

/* for the collector */
extern void pgps_sessions_settle(TimestampTz now);

/* readers */
extern void pgps_sessions_copy(PgpsSessions *to, const PgpsPoolCopy *of);
extern PgpsSessionsCopy *pgps_sessions_copy_all(const PgpsCopy *copy);
extern void pgps_sessions_restore(int32 pool, const PgpsSessionsCopy *saved,
								  bool crashed);
extern double pgps_sessions_percentile(const uint32 *histogram,
									   double fraction);
extern const char *pgps_end_reason_name(PgpsEndReason reason);

#endif							/* PGPS_LIFE_H */
