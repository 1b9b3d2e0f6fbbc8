/*-------------------------------------------------------------------------
 *
 * transactions.c
 *	  When this session is in a transaction, and where it counts.
 *
 * Transactions: there is no hook at their start; the first of parse analysis,
 * executor start and a utility statement stands for it.  The end is a reset
 * callback on TopTransactionContext, the one place that is reached exactly
 * when the transaction is over; XactCallbacks miss the ROLLBACK of a failed
 * block.  SET, RESET, SHOW and DISCARD start nothing: poolers send them
 * between the transactions of their clients.
 *
 * Labels: assign hooks run anywhere, in processes without a slot and while a
 * transaction is undone, so they only leave word; the session moves at its
 * next statement or at the end of the transaction.
 *
 * Nearly all transactions begin and end in the same way, for which there is a
 * short path: what is rare is asked for at once, and done elsewhere.
 *
 * Nothing here raises, but for a connection that pool_limits refuses.  All is
 * the session's own, but for the number of those that are in a transaction
 * (registry/activity.h).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "pgstat.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "poolers/poolers.h"
#include "registry/activity.h"
#include "registry/backends.h"
#include "registry/identity.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"
#include "registry/xact_times.h"
#include "server/pool_limit.h"
#include "server/transactions.h"

#define CHAINS (PGPS_XACT_CHAIN_IF_COMMITTED | PGPS_XACT_CHAIN)

int			pgps_xact = PGPS_XACT_STARTS;

/* where this session counts; NULL when it does not */
static PgpsActivity *here = NULL;

/* what the server's count of idle time in transactions was at its start */
static PgStat_Counter idle_before;

static void at_xact_over(void *arg);

/* registered if PGPS_XACT_WATCHED */
static MemoryContextCallback at_end = {.func = at_xact_over};

/*-------------------------------------------------------------------------
 * Where the session counts
 *-------------------------------------------------------------------------
 */

/*
 * The session counts there from now on; NULL = nowhere.  A running transaction
 * has ended where it was.
 */
static void
session_moved(PgpsActivity *there)
{
	if (there == here)
		return;
	if (pgps_xact & PGPS_XACT_COUNTED)
	{
		if (there)
			pgps_activity_begin(there, GetCurrentTimestamp());
	}
	else
		pgps_my_slot->xact_start = 0;	/* none of it was there */
	here = there;
}

/* It never was here. */
static pg_noinline void
refuse(const PgpsIdentity *identity, const PgpsPoolLimit *limit)
{
	pgps_backend_release();
	pgps_refuse_connection(identity, limit);
}

/*
 * Go where label or application_name say.  A running transaction goes along:
 * it belongs to the label in force at its last statement.  Does not return if
 * pool_limits refuses the connection.
 */
void
pgps_place(bool connect)
{
	bool		in_xact = (pgps_xact & PGPS_XACT_COUNTED) != 0;
	PgpsIdentity identity;
	PgpsActivity *there = NULL;
	const PgpsPoolLimit *limit = NULL;

	pgps_placed_by = application_name;
	pgps_identify(&identity);
	pgps_identify_pooler(identity.via, identity.client_addr);
	identity.not_limited = identity.via[0] != '\0' ||
		pgps_watched_pool(identity.pool, application_name) != NULL;
	pgps_backend_describe(&identity);
	if (unlikely(pgps_pool_limits != NULL) && connect)
		limit = pgps_limit_of(&identity);
	if (pgps_track == PGPS_TRACK_ALL ||
		(pgps_track == PGPS_TRACK_LABELLED && identity.labelled))
	{
		there = pgps_registry_join(&identity, connect, in_xact,
								   limit ? limit->max : PGPS_ANY_NUMBER);
		if (there == NULL)
			refuse(&identity, limit);
	}
	else if (connect)
		pgps_registry_connect(identity.roleid, identity.dbid);
	else
		pgps_registry_unplace(in_xact);
	session_moved(there);
}

/* Has something changed that the session is placed by? */
static inline bool
must_move(void)
{
	return application_name != pgps_placed_by;
}

/*-------------------------------------------------------------------------
 * Beginning
 *-------------------------------------------------------------------------
 */

/* Have at_xact_over() called, which it would not be as yet. */
static inline void
begin_watching(void)
{
	pgps_xact |= PGPS_XACT_WATCHED;
	MemoryContextRegisterResetCallback(TopTransactionContext, &at_end);
}

/* Have it called, also for a transaction that does not count as yet. */
void
pgps_watch_xact(void)
{
	if (!(pgps_xact & PGPS_XACT_WATCHED))
		begin_watching();
}

static inline void
begin(TimestampTz now)
{
	pgps_xact |= PGPS_XACT_COUNTED;
	idle_before = pgStatTransactionIdleTime;
	pgps_slot_begin_xact(pgps_my_slot, now);
	if (here)
		pgps_activity_begin(here, now);
}

/* The transaction goes on; others see how long it has been idle so far. */
static inline void
go_on(void)
{
	pgps_my_slot->running_idle = Max(pgStatTransactionIdleTime - idle_before, 0);
}

/*
 * The same where the session has to move, or where something of the transaction
 * was seen before.  Returns whether it has yet to begin.
 */
static pg_noinline bool
statement_unusually(void)
{
	bool		counted = (pgps_xact & PGPS_XACT_COUNTED) != 0;

	pgps_watch_xact();
	if (counted)
		go_on();
	/* a failed block is still that of the label it failed under */
	if (must_move() && !(counted && IsAbortedTransactionBlockState()))
		pgps_place(false);
	return !counted;
}

/* A statement of this session, which has a slot, is about to run. */
void
pgps_statement(void)
{
	TimestampTz start;

	if (likely(pgps_xact == 0 && !must_move()))
		begin_watching();
	else if (!statement_unusually())
		return;

	/*
	 * The message may be older than the transaction: after a COMMIT in a
	 * procedure or in the middle of a query string.
	 */
	start = GetCurrentTransactionStartTimestamp();
	begin(Max(start, pgps_my_slot->last_end));
}

/*-------------------------------------------------------------------------
 * Ending
 *-------------------------------------------------------------------------
 */

static inline void
count_there(PgpsActivity *there, TimestampTz now)
{
	pgps_slot_end_xact(pgps_my_slot, now);
	pgps_activity_end(there, now);
}

/* The counts of where the session is have been reset. */
static pg_noinline void
count_after_reset(TimestampTz now)
{
	pgps_backend_begin_counts(here->generation);
	count_there(here, now);
}

static inline void
count_xact(TimestampTz now)
{
	PgpsActivity *there = here;

	if (there == NULL)
		pgps_slot_end_xact(pgps_my_slot, now);
	else if (unlikely(pgps_my_slot->generation != there->generation))
		count_after_reset(now);
	else
		count_there(there, now);
}

/* Wherever it does not matter how long it takes */
static void
end(TimestampTz now)
{
	pgps_xact &= ~PGPS_XACT_COUNTED;
	count_xact(now);
}

/*
 * A transaction ends, and no statement of it was seen: it failed or waited in
 * vain for a lock before the first event, or was about settings.  The session
 * was in a transaction all the same.
 */
void
pgps_xact_ends_unseen(void)
{
	if (!pgps_backend_joined() || (pgps_xact & PGPS_XACT_STARTS))
		return;
	pgps_xact |= PGPS_XACT_UNSEEN;
	pgps_watch_xact();
	pgps_slot_begin_unseen(pgps_my_slot,
						   Max(GetCurrentTransactionStartTimestamp(),
							   pgps_my_slot->last_end));
}

/* It fails; a block goes on without it. */
void
pgps_xact_fails(void)
{
	pgps_xact |= PGPS_XACT_FAILED;
	if (pgps_xact & PGPS_XACT_COUNTED)
		go_on();

	/* a COMMIT AND CHAIN that failed is not followed by anything */
	pgps_xact &= ~PGPS_XACT_CHAIN_IF_COMMITTED;
}

/* It is over, and that is not all, or all there is. */
static pg_noinline void
over_unusually(void)
{
	int			was = pgps_xact;

	pgps_xact &= ~(CHAINS | PGPS_XACT_WATCHED);
	if (!pgps_backend_joined() || (was & PGPS_XACT_LONG_UTILITY))
		return;

	/* of one that failed the cached stop time is that of the error */
	if (was & PGPS_XACT_COUNTED)
		end(was & PGPS_XACT_FAILED ? GetCurrentTimestamp() :
			GetCurrentTransactionStopTimestamp());
	else if (was & PGPS_XACT_UNSEEN)
		pgps_slot_end_unseen(pgps_my_slot, GetCurrentTimestamp());
	pgps_xact &= ~(PGPS_XACT_UNSEEN | PGPS_XACT_FAILED);
	if (must_move())
		pgps_place(false);

	/* the next one has begun; it is watched from its first statement on */
	if ((was & CHAINS) && (was & PGPS_XACT_COUNTED))
		begin(pgps_my_slot->last_end);
}

/* The transaction is over. */
static void
at_xact_over(void *arg)
{
	if (unlikely(pgps_xact != (PGPS_XACT_COUNTED | PGPS_XACT_WATCHED) || must_move()))
		over_unusually();
	else
	{
		pgps_xact = 0;
		count_xact(GetCurrentTransactionStopTimestamp());
	}
}

/* All that a utility begins and ends is one transaction. */
void
pgps_long_utility_begins(void)
{
	pgps_xact |= PGPS_XACT_LONG_UTILITY;
}

void
pgps_long_utility_ends(void)
{
	pgps_xact &= ~PGPS_XACT_LONG_UTILITY;
	if (IsTransactionState())
		pgps_watch_xact();
	else if (pgps_xact & PGPS_XACT_COUNTED)
		end(GetCurrentTimestamp());
}

/* How long this session has been idle in its transaction */
static int64
idle_spell(TimestampTz now)
{
	if (MyBEEntry->st_state != STATE_IDLEINTRANSACTION &&
		MyBEEntry->st_state != STATE_IDLEINTRANSACTION_ABORTED)
		return 0;
	return Max(now - MyBEEntry->st_state_start_timestamp, 0);
}

/*
 * The session ends, and its transaction, if it is in one, is about to be
 * undone.
 */
void
pgps_xact_ends_with_session(TimestampTz now)
{
	if (pgps_xact & PGPS_XACT_COUNTED)
	{
		/* the server counts a spell only when the next statement comes */
		idle_before -= idle_spell(now);
		go_on();
		end(now);
	}
	else if (IsTransactionState() && !(pgps_xact & PGPS_XACT_STARTS))
	{
		pgps_xact_ends_unseen();
		pgps_slot_end_unseen(pgps_my_slot, GetCurrentTimestamp());
	}
	here = NULL;
}
