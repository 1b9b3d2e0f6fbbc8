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
 * What a statement and the end of a transaction mean is known to transactions.c.
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
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "replication/walsender.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/queryenvironment.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "registry/backends.h"
#include "registry/life.h"
#include "registry/peaks.h"
#include "server/events.h"
#include "server/life.h"
#include "server/transactions.h"
#include "server/utilities.h"

static post_parse_analyze_hook_type prev_post_parse_analyze_hook = NULL;
static ExecutorStart_hook_type prev_ExecutorStart_hook = NULL;
static ProcessUtility_hook_type prev_ProcessUtility_hook = NULL;

/*
 * What is to be done when this session next commits.  Its first commit is that
 * of its start-up transaction: just before, it joins.  LISTEN and UNLISTEN
 * come into force with the commit of the transaction they are in.
 */
static enum
{
	AT_COMMIT_NOTHING, AT_COMMIT_JOIN, AT_COMMIT_LISTEN, AT_COMMIT_UNLISTEN
}			at_commit = AT_COMMIT_JOIN;

/*-------------------------------------------------------------------------
 * Statements
 *-------------------------------------------------------------------------
 */

/* A statement of this session is about to run. */
static inline void
statement(void)
{
	if (pgps_backend_joined())
		pgps_statement();
}

static void
utility_statement(const Node *stmt)
{
	bool		in_xact = (pgps_xact & PGPS_XACT_COUNTED) != 0;

	/* in a failed block nothing runs but its end, and it has begun long ago */
	if (!pgps_backend_joined() || (!in_xact && IsAbortedTransactionBlockState()))
		return;
	if (!pgps_is_setting(stmt))
		pgps_statement();
	else if (!in_xact)
		pgps_watch_xact();
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
	int			chain = 0;

	if (IsA(stmt, TransactionStmt) && ((const TransactionStmt *) stmt)->chain)
		chain = ((const TransactionStmt *) stmt)->kind == TRANS_STMT_COMMIT ?
			PGPS_XACT_CHAIN_IF_COMMITTED : PGPS_XACT_CHAIN;
	utility_statement(stmt);
	if ((pgps_xact & PGPS_XACT_COUNTED) && context == PROCESS_UTILITY_TOPLEVEL &&
		pgps_is_long_utility(stmt))
	{
		pgps_long_utility_begins();
		PG_TRY();
		{
			run_utility(pstmt, query_string, read_only_tree, context, params,
						env, dest, qc);
		}
		PG_FINALLY();
		{
			pgps_long_utility_ends();
		}
		PG_END_TRY();
		return;
	}
	run_utility(pstmt, query_string, read_only_tree, context, params, env,
				dest, qc);
	note_listening(stmt);

	/* the end itself is yet to come */
	pgps_xact |= chain;
}

/*-------------------------------------------------------------------------
 * Joining and leaving
 *-------------------------------------------------------------------------
 */

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
	pgps_xact_ends_with_session(now);
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
	pgps_place(true);
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
	pgps_xact &= ~PGPS_XACT_STARTS;
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

/* The other events that matter to us; they are rare. */
static pg_noinline void
at_unusual_end(XactEvent event)
{
	if (event == XACT_EVENT_PARALLEL_COMMIT || event == XACT_EVENT_PARALLEL_ABORT)
		at_worker_end();
	else if (event == XACT_EVENT_ABORT)
	{
		if (!(pgps_xact & PGPS_XACT_COUNTED))
			pgps_xact_ends_unseen();
		pgps_xact_fails();
		if (at_commit != AT_COMMIT_JOIN)
			at_commit = AT_COMMIT_NOTHING;
	}
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
	if (unlikely(event != XACT_EVENT_COMMIT))
	{
		at_unusual_end(event);
		return;
	}
	if (unlikely(!(pgps_xact & PGPS_XACT_COUNTED)))
		pgps_xact_ends_unseen();
	if (unlikely(at_commit != AT_COMMIT_NOTHING))
		do_at_commit();
}

/* Called while the server loads its libraries; children inherit it. */
void
pgps_events_install(void)
{
	RegisterXactCallback(at_xact_end, NULL);

	prev_post_parse_analyze_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = after_parse_analysis;
	prev_ExecutorStart_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	prev_ProcessUtility_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
