/*-------------------------------------------------------------------------
 *
 * carry.c
 *	  Carrying a client's counters on over restarts, and noticing when
 *	  several processes report under one name.
 *
 * A client's counter starts at 0 with its process.  Ours must never go
 * backwards, must not lose what a restarted process counts, and must not be
 * inflated when two reports arrive in the wrong order or when four workers
 * share one instance name.  The rules:
 *
 * - larger than before: the difference is added;
 * - below half of it: the client started again, all of it is added.  If the
 *	 very next report, from somebody else and soon, is back above the old
 *	 mark, it had not: only what is above that mark is added;
 * - a smaller step back: reports arrived out of order, nothing happens,
 *	 unless the same reporter says so again, then it started again;
 * - more than PGPS_MAX_JUMPS of the last PGPS_JUMP_WINDOW reports step back,
 *	 or come back from a reporter that another had replaced: several processes
 *	 share the name.  The totals stand still until a whole window is clean.
 *
 * Pure arithmetic; the caller holds the spinlock of the instance.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "registry/carry.h"

#define PGPS_JUMP_WINDOW 10
#define PGPS_MAX_JUMPS 3

/*
 * Has a reporter come back after another one had taken its place?  Only
 * reporters that tell who they are count: one pool's reports may arrive over
 * any of its connections.
 */
static bool
reporter_alternates(PgpsCarry *carry, PgpsReporter reporter)
{
	int			i;
	bool		back = false;

	if (!reporter.claimed || carry->seen[0] == reporter.id)
		return false;

	for (i = 1; i < PGPS_REPORTERS_SEEN; i++)
	{
		if (carry->seen[i] == reporter.id)
		{
			back = true;
			break;
		}
	}

	/* move it to the front; the last one falls off if it is new */
	for (i = back ? i : PGPS_REPORTERS_SEEN - 1; i > 0; i--)
		carry->seen[i] = carry->seen[i - 1];
	carry->seen[0] = reporter.id;
	return back;
}

/*
 * Take one counter's new value.  Sets *step_back when it fell.
 */
static void
carry_one(PgpsCarry *carry, PgpsCounters *totals, PgpsField f, int64 reported,
		  bool same_reporter, bool soon, bool *step_back)
{
	uint32		bit = (uint32) 1 << f;
	int64		last = carry->last.value[f];
	int64		total = pgps_count(totals, f, 0);
	bool		just_dropped = (carry->dropped & bit) != 0;
	bool		held = (carry->held & bit) != 0;

	carry->dropped &= ~bit;
	carry->held &= ~bit;

	if (!pgps_known(&carry->last, f))
		total = pgps_add_saturated(total, reported);
	else if (reported >= last)
	{
		if (just_dropped && soon && !same_reporter &&
			reported >= carry->before.value[f])
		{
			int64		continued;

			continued = pgps_add_saturated(pgps_count(&carry->total_before, f, 0),
										   reported - carry->before.value[f]);
			total = Max(total, continued);
			*step_back = true;
		}
		else
			total = pgps_add_saturated(total, reported - last);
	}
	else
	{
		*step_back = true;
		if (reported >= last / 2 && !(held && same_reporter))
		{
			carry->held |= bit;
			return;
		}
		carry->before.value[f] = last;
		pgps_set_count(&carry->total_before, f, total);
		carry->dropped |= bit;
		total = pgps_add_saturated(total, reported);
	}

	pgps_set(&carry->last, f, reported);
	pgps_set_count(totals, f, total);
}

/*
 * Add a report's counters to an instance's totals.  "patience" is the time in
 * microseconds within which a drop may turn out to have been none.
 */
void
pgps_carry_counters(PgpsCarry *carry, PgpsCounters *totals,
					const PgpsValues *reported, PgpsReporter reporter,
					TimestampTz now, int64 patience)
{
	bool		same_reporter = carry->drop_reporter == reporter.id;
	bool		soon = now - carry->drop_at <= patience;
	bool		jumped = reporter_alternates(carry, reporter);
	bool		step_back = false;
	int			f;

	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
	{
		if (!pgps_known(reported, f))
			continue;
		if (carry->shared)
		{
			step_back |= reported->value[f] < carry->last.value[f];
			pgps_set(&carry->last, f, reported->value[f]);
		}
		else
			carry_one(carry, totals, f, reported->value[f],
					  same_reporter, soon, &step_back);
	}

	if (step_back)
	{
		carry->drop_reporter = reporter.id;
		carry->drop_at = now;
	}

	carry->jumps = (carry->jumps << 1 | (jumped || step_back ? 1 : 0)) &
		((1 << PGPS_JUMP_WINDOW) - 1);
	if (pg_popcount32(carry->jumps) > PGPS_MAX_JUMPS)
		carry->shared = true;
	else if (carry->jumps == 0)
		carry->shared = false;
}
