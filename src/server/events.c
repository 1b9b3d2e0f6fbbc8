/*-------------------------------------------------------------------------
 *
 * events.c
 *	  Where the server tells us what its backends do.
 *
 * Joining: a client backend joins when its start-up transaction is about to
 * commit: by then role, database, start-up options and ALTER ROLE settings are
 * in place, and connections that are rejected never get there.  It leaves in
 * before_shmem_exit, before an open transaction is aborted.  Joining is also
 * where pool_limits refuses a connection (pool_limit.c).
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
 * LISTEN: no other process can see it, so the session's slot says so.
 *
 * Nothing else here raises: while a session starts there is nobody to catch it,
 * and later it would be somebody's transaction.  All hooks chain.  In every
 * process that is no client backend "here" is NULL, and that is all it costs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "replication/walsender.h"
#include "storage/ipc.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/settings.h"
#include "poolers/poolers.h"
#include "registry/activity.h"
#include "registry/backends.h"
#include "registry/identity.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "server/events.h"
#include "server/life.h"
#include "server/pool_limit.h"
#include "server/utilities.h"

static post_parse_analyze_hook_type prev_post_parse_analyze_hook = NULL;
static ExecutorStart_hook_type prev_ExecutorStart_hook = NULL;
static ProcessUtility_hook_type prev_ProcessUtility_hook = NULL;

/*
 * What is to be done when this session next commits.  Its first commit is that
 * of its start-up transaction: just before, it joins.  LISTEN and UNLISTEN come into
 * force with the commit of the transaction they are in.
 */
static enum
{
	AT_COMMIT_NOTHING, AT_COMMIT_JOIN, AT_COMMIT_LISTEN, AT_COMMIT_UNLISTEN
}			at_commit = AT_COMMIT_JOIN;

/* where this session counts; NULL when it does not */
static PgpsActivity *here = NULL;

/* its transaction, as far as we count it */
static bool in_xact = false;
static TimestampTz xact_start;

/* what the server's count of idle time in transactions was at its start */
static PgStat_Counter idle_before;

/* no statement of it was seen, but its end was */
static bool unseen = false;

/* it has failed, and its block is open until the client sends ROLLBACK */
static bool failed = false;

/* its end starts another one: COMMIT AND CHAIN, ROLLBACK AND CHAIN */
static enum
{
	NO_CHAIN, CHAIN_IF_COMMITTED, CHAIN
}			chain = NO_CHAIN;

/* a utility runs that ends and starts transactions, all for one statement */
static bool in_long_utility = false;

static bool watching = false;	/* at_end_callback is registered */
static MemoryContextCallback at_end_callback;

/* the application_name that the session was last placed by */
static const char *placed_by_name = NULL;

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
	if (in_xact)
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
 * it belongs to the label in force at its last statement.
 */
static void
place(bool connect)
{
	PgpsIdentity identity;
	PgpsActivity *there = NULL;
	const PgpsPoolLimit *limit = NULL;

	pgps_relabel = false;
	placed_by_name = application_name;
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
	return pgps_relabel | (application_name != placed_by_name);
}

/*-------------------------------------------------------------------------
 * Transactions
 *-------------------------------------------------------------------------
 */

static inline void
end_xact(TimestampTz now)
{
	int64		duration = Max(now - xact_start, 0);	/* clocks are set back */

	in_xact = false;
	if (here && unlikely(pgps_my_slot->generation != here->generation))
		pgps_backend_begin_counts(here->generation);	/* it was reset */
	pgps_backend_end_xact(now, duration, pgStatTransactionIdleTime - idle_before);
	if (here)
		pgps_activity_end(here, now);
}

static inline void
enter_xact(TimestampTz now)
{
	in_xact = true;
	xact_start = now;
	idle_before = pgStatTransactionIdleTime;
	pgps_backend_begin_xact(now);
	if (here)
		pgps_activity_begin(here, now);
}

/* The transaction goes on; others see how long it has been idle so far. */
static inline void
go_on(void)
{
	pgps_my_slot->running_idle = pgStatTransactionIdleTime - idle_before;
}

/*
 * A transaction ends, and no statement of it was seen: it failed or waited in
 * vain for a lock before the first event, or was about settings.  The session
 * was in a transaction all the same.
 */
static inline void watch_xact(void);

static pg_noinline void
begin_unseen(void)
{
	if (!pgps_backend_joined() || at_commit == AT_COMMIT_JOIN)
		return;
	unseen = true;
	watch_xact();
	pgps_slot_begin_unseen(pgps_my_slot,
						   Max(GetCurrentTransactionStartTimestamp(),
							   pgps_my_slot->last_end));
}

static pg_noinline void
end_unseen(void)
{
	unseen = false;
	pgps_slot_end_unseen(pgps_my_slot, GetCurrentTimestamp());
}

static void end_chained(void);

/*
 * The transaction is over.  Of one that failed the cached stop time is that of
 * the error, not of the ROLLBACK.
 */
static void
at_xact_over(void *arg)
{
	watching = false;
	if (unlikely(chain != NO_CHAIN))
	{
		end_chained();
		return;
	}
	if (!pgps_backend_joined() || in_long_utility)
		return;
	if (in_xact)
		end_xact(unlikely(failed) ? GetCurrentTimestamp() :
				 GetCurrentTransactionStopTimestamp());
	else if (unseen)
		end_unseen();
	failed = false;
	if (unlikely(must_move()))
		place(false);
}

/* It is over, and the next one has begun: watched from its first statement on */
static pg_noinline void
end_chained(void)
{
	bool		counts = pgps_backend_joined() && !in_long_utility && in_xact;

	chain = NO_CHAIN;
	at_xact_over(NULL);
	if (counts)
		enter_xact(pgps_my_slot->last_end);
}

/* Have at_xact_over() called. */
static inline void
watch_xact(void)
{
	if (likely(!watching))
	{
		watching = true;
		MemoryContextRegisterResetCallback(TopTransactionContext,
										   &at_end_callback);
	}
}

static inline void
begin_xact(void)
{
	TimestampTz start;

	if (unlikely(must_move()))
		place(false);
	watch_xact();

	/*
	 * The message may be older than the transaction: after a COMMIT in a
	 * procedure or in the middle of a query string.
	 */
	start = GetCurrentTransactionStartTimestamp();
	enter_xact(Max(start, pgps_my_slot->last_end));
}

/* A statement of this session is about to run. */
static inline void
statement(void)
{
	if (!pgps_backend_joined())
		return;
	if (!in_xact)
		begin_xact();
	else
	{
		watch_xact();
		go_on();
		/* a failed block is still that of the label it failed under */
		if (unlikely(must_move()) && !IsAbortedTransactionBlockState())
			place(false);
	}
}

static void
utility_statement(const Node *stmt)
{
	/* in a failed block nothing runs but its end, and it has begun long ago */
	if (!pgps_backend_joined() || (!in_xact && IsAbortedTransactionBlockState()))
		return;
	if (!pgps_is_setting(stmt))
		statement();
	else if (!in_xact)
		watch_xact();
}

/*
 * A statement that was executed may begin or end listening, which comes into
 * force with the commit.  When in doubt the session listens: a subtransaction
 * may be undone, and of UNLISTEN with a name we do not know what is left.
 */
static void
note_listening(const Node *stmt)
{
	if (IsA(stmt, ListenStmt))
		at_commit = AT_COMMIT_LISTEN;
	else if (GetCurrentTransactionNestLevel() == 1 &&
			 ((IsA(stmt, UnlistenStmt) &&
			   ((const UnlistenStmt *) stmt)->conditionname == NULL) ||
			  (IsA(stmt, DiscardStmt) &&
			   ((const DiscardStmt *) stmt)->target == DISCARD_ALL)))
		at_commit = AT_COMMIT_UNLISTEN;
}

/*-------------------------------------------------------------------------
 * Hooks
 *-------------------------------------------------------------------------
 */

static void
after_parse_analysis(ParseState *pstate, Query *query,
					 PgpsJumbleState *jstate)
{
	if (prev_post_parse_analyze_hook)
		prev_post_parse_analyze_hook(pstate, query, jstate);
	if (query->commandType == CMD_UTILITY)
		utility_statement(query->utilityStmt);
	else
		statement();
}

static void
executor_start(QueryDesc *query_desc, int eflags)
{
	statement();
	if (prev_ExecutorStart_hook)
		prev_ExecutorStart_hook(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
}

static void
run_utility(PlannedStmt *pstmt, const char *query_string,
			bool read_only_tree, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *env,
			DestReceiver *dest, QueryCompletion *qc)
{
	if (prev_ProcessUtility_hook)
		prev_ProcessUtility_hook(pstmt, query_string, read_only_tree, context,
								 params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context,
								params, env, dest, qc);
}

static void
process_utility(PlannedStmt *pstmt, const char *query_string,
				bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *env,
				DestReceiver *dest, QueryCompletion *qc)
{
	const Node *stmt = pstmt->utilityStmt;
	int			after = NO_CHAIN;

	if (IsA(stmt, TransactionStmt) && ((const TransactionStmt *) stmt)->chain)
		after = ((const TransactionStmt *) stmt)->kind == TRANS_STMT_COMMIT ?
			CHAIN_IF_COMMITTED : CHAIN;
	utility_statement(stmt);
	if (in_xact && context == PROCESS_UTILITY_TOPLEVEL && pgps_is_long_utility(stmt))
	{
		in_long_utility = true;
		PG_TRY();
		{
			run_utility(pstmt, query_string, read_only_tree, context, params,
						env, dest, qc);
		}
		PG_FINALLY();
		{
			in_long_utility = false;
			if (!IsTransactionState())
				end_xact(GetCurrentTimestamp());
			else
				watch_xact();
		}
		PG_END_TRY();
		return;
	}
	run_utility(pstmt, query_string, read_only_tree, context, params, env,
				dest, qc);
	note_listening(stmt);

	/* the end itself is yet to come */
	chain = after;
}

/*-------------------------------------------------------------------------
 * Joining and leaving
 *-------------------------------------------------------------------------
 */

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
 * Our callback runs before that which aborts an open transaction: it is ended
 * here.
 */
static void
leave(int code, Datum arg)
{
	PgpsSessionEnd end = {0};
	TimestampTz now;

	if (!pgps_backend_joined())
		return;
	pgps_session_ends(&end);
	now = GetCurrentTimestamp();
	if (in_xact)
	{
		/* the server counts a spell only when the next statement comes */
		idle_before -= idle_spell(now);
		end_xact(now);
	}
	else if (IsTransactionState() && at_commit != AT_COMMIT_JOIN)
	{
		begin_unseen();
		end_unseen();
	}
	here = NULL;

	end.only_reported = pgps_slot_only_reports(pgps_my_slot);
	end.xacts = pgps_my_slot->xacts;
	end.lasted = Max(now - MyStartTimestamp, 0);
	pgps_registry_leave(&end);
	pgps_backend_release();
	pgps_peaks_disconnect();
}

static void
join(void)
{
	/* first, so that whatever comes is undone */
	before_shmem_exit(leave, (Datum) 0);
	pgps_backend_claim();
	place(true);
}

static pg_noinline void
do_before_commit(void)
{
	if (MyProcPort != NULL && MyBackendType == B_BACKEND && !am_walsender &&
		!pgps_backend_joined())
		join();
}

static pg_noinline void
do_at_commit(void)
{
	if (pgps_backend_joined())
	{
		if (at_commit == AT_COMMIT_JOIN)
			pgps_session_joined();
		else
			pgps_my_slot->listens = at_commit == AT_COMMIT_LISTEN;
	}
	at_commit = AT_COMMIT_NOTHING;
}

/*
 * Has the start-up transaction of this process committed?  What ends a session
 * that has just joined is no rejection either.
 */
bool
pgps_session_has_started(void)
{
	return at_commit != AT_COMMIT_JOIN || pgps_backend_joined();
}

/* A parallel worker ends: what it cost is its leader's. */
static pg_noinline void
at_worker_end(void)
{
	const PGPROC *leader = MyProc->lockGroupLeader;

	if (leader != NULL && leader != MyProc)
		pgps_backend_add_worker(pgps_proc_number(leader), leader->pid);
}

static pg_noinline void
at_abort(void)
{
	failed = true;
	if (in_xact)
		go_on();
	if (at_commit != AT_COMMIT_JOIN)
		at_commit = AT_COMMIT_NOTHING;

	/* a COMMIT AND CHAIN that failed is not followed by anything */
	if (chain == CHAIN_IF_COMMITTED)
		chain = NO_CHAIN;
}

static void
at_xact_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
	{
		if (unlikely(at_commit == AT_COMMIT_JOIN))
			do_before_commit();
		return;
	}
	if (event == XACT_EVENT_PARALLEL_COMMIT || event == XACT_EVENT_PARALLEL_ABORT)
		at_worker_end();
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	if (unlikely(!in_xact))
		begin_unseen();
	if (unlikely(event == XACT_EVENT_ABORT))
		at_abort();
	else if (unlikely(at_commit != AT_COMMIT_NOTHING))
		do_at_commit();
}

/* Called while the server loads its libraries; children inherit it. */
void
pgps_events_install(void)
{
	at_end_callback.func = at_xact_over;
	RegisterXactCallback(at_xact_end, NULL);

	prev_post_parse_analyze_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = after_parse_analysis;
	prev_ExecutorStart_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	prev_ProcessUtility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
