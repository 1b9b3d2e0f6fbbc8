/*-------------------------------------------------------------------------
 *
 * history.h
 *	  What each pool did, minute by minute for an hour and in steps of ten
 *	  minutes for a day.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_HISTORY_H
#define PGPS_HISTORY_H

#include "datatype/timestamp.h"

#include "analysis/load.h"
#include "analysis/snapshot.h"
#include "registry/registry.h"

/*
 * How busy one instance of a pool was, on average of the time that it was
 * watched; by what the pool reports, and by what the server sees.
 */
typedef struct PgpsBusy
{
	float		load;			/* connections lent out, or in a transaction;
								 * -1 = not reported */
	float		arrivals;		/* checkouts or transactions a second; -1 =
								 * not reported */
	int32		cap;			/* its maximum then; -1 = unknown */
} PgpsBusy;

typedef enum PgpsBasis
{
	PGPS_BASIS_CLIENT,
	PGPS_BASIS_SERVER,
	PGPS_BASES
} PgpsBasis;

typedef enum PgpsPeriod
{
	PGPS_MINUTES,
	PGPS_TEN_MINUTES,
	PGPS_PERIODS
} PgpsPeriod;

#define PGPS_NMINUTES 60
#define PGPS_NTEN_MINUTES 144

/*
 * counters: how much they rose in a bucket; times, in microseconds, and bytes
 * last
 */
typedef enum PgpsCount
{
	PGPS_COUNT_CHECKOUTS,
	PGPS_COUNT_WAITS,
	PGPS_COUNT_TIMEOUTS,
	PGPS_COUNT_ERRORS,
	PGPS_COUNT_CONNECTS,
	PGPS_COUNT_REJECTED,		/* this and two more in the order of
								 * PgpsRejecter */
	PGPS_COUNT_REJECTED_LOGINS,
	PGPS_COUNT_REJECTED_UNAVAILABLE,
	PGPS_COUNT_SESSIONS_ABANDONED,
	PGPS_COUNT_SESSIONS_FATAL,
	PGPS_COUNT_SESSIONS_KILLED,
	PGPS_COUNT_XACTS,
	PGPS_COUNT_WAIT_TIME,
	PGPS_COUNT_XACT_TIME,
	PGPS_COUNT_CPU_TIME,
	PGPS_COUNT_WAL_BYTES,
	PGPS_COUNTS
} PgpsCount;

#define PGPS_FIRST_TIME PGPS_COUNT_WAIT_TIME

/* what a pool did in one period; -1 = not reported */
typedef struct PgpsBucket
{
	TimestampTz start;			/* 0 = empty */
	int32		instances;		/* the most at once */
	int32		min_connections;
	int32		max_connections;
	int32		min_checked_out;
	int32		max_checked_out;
	int32		max_in_xact;
	int32		max_waiting;
	int32		max_used;		/* of the fullest instance, per mille */
	int64		count[PGPS_COUNTS];
	PgpsLoadSums load;
	uint8		cause;			/* the last one (PgpsCauseKind of alerts) */

	/* of ten minutes only */
	int64		watched;		/* microseconds that were watched */
	int32		max_lent;		/* the most lent out by one instance at once */
	PgpsBusy	busiest[PGPS_BASES];	/* of its instances, by each basis */
} PgpsBucket;

/* a bucket in the save file; "pool" as there */
typedef struct PgpsSavedBucket
{
	int32		pool;
	TimestampTz owner;			/* first_seen of the pool */
	PgpsPeriod	period;
	PgpsBucket	bucket;
} PgpsSavedBucket;

/* digits of last_hour: a digit for six minutes, the newest last */
#define PGPS_DIGITS 10
#define PGPS_DIGIT_UNKNOWN (-1)
#define PGPS_DIGIT_FULL 10

extern Size pgps_history_size(void);
extern void pgps_history_init(void *area, bool found);

/* for the collector, at each of its passes */
extern void pgps_history_note(const PgpsSnapshot *snapshot);
extern void pgps_history_note_causes(const PgpsSnapshot *snapshot,
									 const uint8 *causes);

/* buckets.c */
extern TimestampTz pgps_bucket_start(PgpsPeriod period, TimestampTz now);
extern int	pgps_bucket_place(PgpsPeriod period, TimestampTz start);
extern int64 pgps_period_length(PgpsPeriod period);
extern int	pgps_period_count(PgpsPeriod period);

/* rings.c: not all pools have history */
extern bool pgps_has_history(const PgpsPoolCopy *pool);
extern void pgps_history_left_out(int *without, int64 *given_up);

extern int	pgps_history_read(const PgpsPoolCopy *pool, PgpsPeriod period,
							  TimestampTz now, PgpsBucket *buckets);
extern void pgps_last_hour(const PgpsPoolCopy *pool, TimestampTz now,
						   int8 *digits);
extern void pgps_add_digits(int8 *digits, const int8 *more);
extern char *pgps_digits_text(const int8 *digits);

/* over a restart */
extern int	pgps_history_copy(const PgpsCopy *copy, PgpsSavedBucket **saved);
extern void pgps_history_restore(const PgpsSavedBucket *saved, int32 pool);

/* busy.c, for the collector alone */
extern int64 pgps_watch_busy(const PgpsSnapshot *snapshot, TimestampTz since);
extern void pgps_busiest(const PgpsPoolState *pool, PgpsBusy *busiest);

#endif							/* PGPS_HISTORY_H */
