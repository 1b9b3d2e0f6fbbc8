/*-------------------------------------------------------------------------
 *
 * xact_times.h
 *	  How long a session has been in transactions, and idle in them.
 *
 * "Counted" is what has ended; "so far" is that and what is running.  It
 * passes at the instance that the session is at, while the time of the
 * transaction itself is that of the instance where it ends.
 *
 * What belongs together in a slot is guarded by its change count.  Its owner
 * adds PGPS_IN_XACT where a transaction begins, and one before and one after
 * what is counted at its end.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_XACT_TIMES_H
#define PGPS_XACT_TIMES_H

#include "datatype/timestamp.h"

#define PGPS_BEING_COUNTED 1
#define PGPS_IN_XACT 2

/* microseconds */
typedef struct PgpsTimes
{
	int64		in_xact;
	int64		idle;			/* of that */
} PgpsTimes;

struct PgpsSlot;
struct PgpsBackend;

/* for the owner of the slot */
extern void pgps_slot_begin_unseen(struct PgpsSlot *slot, TimestampTz start);
extern void pgps_slot_end_unseen(struct PgpsSlot *slot, TimestampTz now);
extern PgpsTimes pgps_slot_passed(const struct PgpsSlot *slot, TimestampTz now);

/* for readers */
extern PgpsTimes pgps_slot_counted(const struct PgpsSlot *slot);
extern PgpsTimes pgps_slot_so_far(const struct PgpsSlot *slot, uint32 changes,
								  const struct PgpsBackend *state,
								  TimestampTz now);
extern PgpsTimes pgps_times_since(const PgpsTimes *times, const PgpsTimes *base);

#endif							/* PGPS_XACT_TIMES_H */
