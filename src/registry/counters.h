/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  What is counted of an instance, or of those a pool has lost.
 *
 * One array for all of it: whoever saves, retires, sums, resets or leaves out
 * counters does so in a loop.  A new counter is a line of the enum.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COUNTERS_H
#define PGPS_COUNTERS_H

#include "dialects/fields.h"

/*
 * Counters that a pool reports are fields, from PGPS_FIRST_COUNTER on.  Behind
 * them stand those that the server counts.  Times are microseconds.
 */
typedef enum PgpsServerCounter
{
	PGPS_CONNECTS = PGPS_NFIELDS,
	PGPS_DISCONNECTS,
	PGPS_REPORT_SESSIONS,		/* of these, did nothing but report */
	PGPS_WORK_SESSIONS,			/* of those that their client ended, did more
								 * than report */
	PGPS_SESSION_TIME,			/* of these */
	PGPS_SESSION_XACTS,			/* likewise */
	PGPS_SESSIONS_ABANDONED,	/* in core's words */
	PGPS_SESSIONS_FATAL,
	PGPS_SESSIONS_KILLED,
	PGPS_SERVER_XACTS,
	PGPS_XACT_TIME,
	PGPS_EXHAUSTED_COUNT,
	PGPS_EXHAUSTED_TIME,
	PGPS_IN_XACT_TIME,			/* in transactions, at whom it passed */
	PGPS_IDLE_IN_XACT_TIME,		/* of that, idle */
	PGPS_LOAD_TIME,				/* the same two with what is running, never
								 * reset: load is a difference of them */
	PGPS_LOAD_IDLE_TIME,

	/* what its sessions have used, see PgpsUsed in backends.h */
	PGPS_CPU_TIME,
	PGPS_WAL_BYTES,
	PGPS_SHARED_BLKS_HIT,
	PGPS_SHARED_BLKS_READ,
	PGPS_SHARED_BLKS_DIRTIED,
	PGPS_SHARED_BLKS_WRITTEN,
	PGPS_TEMP_BLKS_READ,
	PGPS_TEMP_BLKS_WRITTEN,
	PGPS_COUNTERS_END
} PgpsServerCounter;

#define PGPS_NCOUNTERS (PGPS_COUNTERS_END - PGPS_FIRST_COUNTER)

/* "counter" is a PgpsField or a PgpsServerCounter */
typedef struct PgpsCounters
{
	uint64		known;			/* a bit for each */
	int64		value[PGPS_NCOUNTERS];
} PgpsCounters;

StaticAssertDecl(PGPS_NCOUNTERS < 64, "counters have a bit each, and one is left");

/* Is there such a counter?  One that nobody reports is unknown, not 0. */
static inline bool
pgps_is_counted(const PgpsCounters *c, int counter)
{
	return (c->known & ((uint64) 1 << (counter - PGPS_FIRST_COUNTER))) != 0;
}

/* Does it go on after a reset? */
static inline bool
pgps_is_never_reset(int counter)
{
	return counter == PGPS_LOAD_TIME || counter == PGPS_LOAD_IDLE_TIME;
}

/* Its value, or "otherwise" */
static inline int64
pgps_count(const PgpsCounters *c, int counter, int64 otherwise)
{
	return pgps_is_counted(c, counter) ?
		c->value[counter - PGPS_FIRST_COUNTER] : otherwise;
}

static inline void
pgps_set_count(PgpsCounters *c, int counter, int64 value)
{
	c->known |= (uint64) 1 << (counter - PGPS_FIRST_COUNTER);
	c->value[counter - PGPS_FIRST_COUNTER] = value;
}

static inline void
pgps_unset_count(PgpsCounters *c, int counter)
{
	c->known &= ~((uint64) 1 << (counter - PGPS_FIRST_COUNTER));
	c->value[counter - PGPS_FIRST_COUNTER] = 0;
}

extern int64 pgps_add_saturated(int64 a, int64 b);
extern void pgps_raise_count(PgpsCounters *c, int counter, int64 by);
extern void pgps_counters_init(PgpsCounters *c);
extern void pgps_counters_add(PgpsCounters *sum, const PgpsCounters *more);
extern void pgps_counters_subtract(PgpsCounters *rest, const PgpsCounters *less);
extern void pgps_counters_reset(PgpsCounters *c);
extern PgpsCounters pgps_take_reported_counters(PgpsCounters *c);

#endif							/* PGPS_COUNTERS_H */
