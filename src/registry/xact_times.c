/*-------------------------------------------------------------------------
 *
 * xact_times.c
 *	  How long a session has been in transactions, and idle in them.
 *
 * The owner of a slot writes, without a lock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"

#include "registry/backends.h"
#include "registry/xact_times.h"

/* start of the last one that is counted, while one runs that is not */
static TimestampTz last_xact;

/*
 * A transaction that no event has told of is about to end.  Readers have seen
 * it by its start in PgBackendStatus; from now on they see it here.
 */
void
pgps_slot_begin_unseen(PgpsSlot *slot, TimestampTz start)
{
	last_xact = slot->xact_start;
	slot->xact_start = start;
	pg_write_barrier();
	slot->changes += PGPS_IN_XACT;
}

void
pgps_slot_end_unseen(PgpsSlot *slot, TimestampTz now)
{
	slot->changes++;
	pg_write_barrier();
	slot->unseen_time += Max(now - slot->xact_start, 0);
	slot->last_end = Max(now, slot->xact_start);
	slot->xact_start = last_xact;
	pg_write_barrier();
	slot->changes++;
}

/* What has ended */
PgpsTimes
pgps_slot_counted(const PgpsSlot *slot)
{
	PgpsTimes	times = {
		.in_xact = slot->total_xact_time + slot->unseen_time,
		.idle = slot->idle_time
	};

	return times;
}

/* For its owner, between statements of the client: what has passed until now */
PgpsTimes
pgps_slot_passed(const PgpsSlot *slot, TimestampTz now)
{
	PgpsTimes	times = pgps_slot_counted(slot);

	if (slot->changes & PGPS_IN_XACT)
		times.in_xact += Max(now - slot->xact_start, 0);
	times.idle += slot->running_idle;
	return times;
}

/*
 * For others: what has passed until now, given the change count that was read
 * before and what the backend's PgBackendStatus says.  A transaction that no
 * event has told of as yet is known from there alone.
 */
PgpsTimes
pgps_slot_so_far(const PgpsSlot *slot, uint32 changes, const PgpsBackend *state,
				 TimestampTz now)
{
	PgpsTimes	times = pgps_slot_counted(slot);

	if (changes & PGPS_IN_XACT)
		times.in_xact += Max(now - slot->xact_start, 0);
	else if (state->xact_start != 0)
		times.in_xact += Max(now - Max(state->xact_start, slot->last_end), 0);
	times.idle += slot->running_idle;
	if (state->idle_in_xact)
		times.idle += Max(now - state->state_change, 0);
	return times;
}

/* What has passed since; the base may include what has not ended yet. */
PgpsTimes
pgps_times_since(const PgpsTimes *times, const PgpsTimes *base)
{
	PgpsTimes	since = {
		.in_xact = Max(times->in_xact - base->in_xact, 0),
		.idle = Max(times->idle - base->idle, 0)
	};

	return since;
}
