/*-------------------------------------------------------------------------
 *
 * terminate.c
 *	  terminate() and drain(): ending connections of a pool.
 *
 * Each is looked at again right before the end: that it is still the same
 * session, as idle as it was, that it does not listen and holds no advisory lock.
 * The end itself is core's pg_terminate_backend(), with its rights; between
 * our look and its signal a statement may begin.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/acts.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "analysis/leaks.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "base/text.h"
#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/locks.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_terminate);
PG_FUNCTION_INFO_V1(pgps_drain);

#define NAMED_POOLS 20			/* of those that have one name */

#define ENDED_COLUMNS(C) \
	C(pid, int4, backend->pid) \
	C(instance, text, name_of(order, backend)) \
	C(state, text, state_text(backend)) \
	C(since, time, backend->state_change) \
	C(action, text, action) \
	C(reason, text, reason)

/* what is to be done */
typedef struct Order
{
	PgpsAct		act;
	const PgpsSnapshot *snapshot;
	const PgpsPoolState *pool;
	const char *instance;		/* only of this one; or NULL */
	bool		dry_run;
	int			at_most;
	PgpsRow    *row;
	int			done;			/* connections ended; in a dry run, that would
								 * be */
} Order;

static const char *
state_text(const PgpsBackend *backend)
{
	if (backend->state == STATE_DISABLED)
		return NULL;
	if (backend->idle_in_xact)
		return "idle in transaction";
	return backend->state == STATE_IDLE ? "idle" : "active";
}

static const char *
name_of(const Order *order, const PgpsBackend *backend)
{
	return pgps_instance_of(order->snapshot, backend)->data->name;
}

static void
put_row(Order *order, const PgpsBackend *backend, const char *action,
		const char *reason)
{
	PgpsRow    *row = order->row;

	PGPS_PUT_ROW(ENDED_COLUMNS);
}

/*-------------------------------------------------------------------------
 * Which pool
 *-------------------------------------------------------------------------
 */

/* Who may end any role's connections may also find them. */
static bool
may_find(const PgpsPool *pool)
{
	return pgps_may_see(pool->key.roleid) ||
		has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

static void
complain_of_several(const char *name, const List *pools)
{
	StringInfoData text;
	const ListCell *lc;

	initStringInfo(&text);
	foreach(lc, pools)
	{
		const PgpsPoolState *pool = lfirst(lc);

		if (foreach_current_index(lc) == NAMED_POOLS)
		{
			appendStringInfo(&text, " and %d others",
							 list_length(pools) - NAMED_POOLS);
			break;
		}
		appendStringInfo(&text, "%susename %s, datname %s",
						 text.len > 0 ? "; " : "", pgps_role_name(pool->data),
						 pgps_database_name(pool->data));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there are %d pools \"%s\"", list_length(pools), name),
			 errdetail("%s.", text.data),
			 errhint("Say which one with usename and datname.")));
}

static const PgpsPoolState *
find_pool(const PgpsSnapshot *snapshot, const char *name, const char *usename,
		  const char *datname)
{
	List	   *found = NIL;
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];

		CHECK_FOR_INTERRUPTS();
		if (strcmp(pool->data->key.name, name) == 0 && may_find(pool->data) &&
			(usename == NULL || strcmp(pgps_role_name(pool->data), usename) == 0) &&
			(datname == NULL || strcmp(pgps_database_name(pool->data), datname) == 0))
			found = lappend(found, unconstify(PgpsPoolState *, pool));
	}
	if (found == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no such pool \"%s\" that you may see", name),
				 errhint("See the view pgpool_stats.pools.")));
	if (list_length(found) > 1)
		complain_of_several(name, found);
	return linitial(found);
}

/* The rights that core will ask for, for all connections: before any is ended */
static void
check_rights(const PgpsPool *pool)
{
	Oid			roleid = pool->key.roleid;

	if (superuser() ||
		(!superuser_arg(roleid) &&
		 (has_privs_of_role(GetUserId(), roleid) ||
		  has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND))))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to end connections of pool \"%s\"",
					pool->key.name),
			 superuser_arg(roleid) ?
			 errdetail("Only superusers may end those of a superuser.") :
			 errdetail("It needs the privileges of role \"%s\" or of \"pg_signal_backend\".",
					   pgps_role_name(pool))));
}

/*-------------------------------------------------------------------------
 * Ending one
 *-------------------------------------------------------------------------
 */

/* Why is it not to be ended?  NULL = no reason.  Its state is read last. */
static const char *
why_spared(const PgpsBackend *seen)
{
	PgpsLockHolder holder = {.procno = seen->procno,.pid = seen->pid};
	PgpsBackend now;

	if (seen->pid == MyProcPid)
		return "this session";
	pgps_find_advisory_locks(&holder, 1);
	if (holder.advisory)
		return "holds an advisory lock";
	if (!pgps_backend_copy(&now, seen->procno, GetCurrentTimestamp()) ||
		now.pid != seen->pid || now.backend_start != seen->backend_start)
		return "is gone";
	if (now.instance != seen->instance)
		return "is of another pool or process now";
	if (now.listens)
		return "listens";
	if (now.several)
		return "several pools use it, one after the other";
	if (now.state != seen->state || now.state_change != seen->state_change)
		return "works again";
	return NULL;
}

static void
log_end(const Order *order, const PgpsBackend *backend)
{
	ereport(LOG_SERVER_ONLY,
			(errmsg("pgpool_stats %s: ended connection of pool \"%s\" on database \"%s\": pid %d, instance \"%s\", %s for " INT64_FORMAT " s, by role \"%s\"",
					pgps_act_name(order->act), order->pool->data->key.name,
					pgps_database_name(order->pool->data), backend->pid,
					name_of(order, backend), state_text(backend),
					(GetCurrentTimestamp() - backend->state_change) / USECS_PER_SEC,
					GetUserNameFromId(GetUserId(), false)),
			 errhidestmt(true)));
}

static void
end_one(Order *order, const PgpsBackend *backend)
{
	const char *reason = why_spared(backend);

	if (reason != NULL)
		put_row(order, backend, "spared", reason);
	else if (order->done >= order->at_most)
		put_row(order, backend, "left", "max_count is reached");
	else if (order->dry_run)
	{
		order->done++;
		put_row(order, backend, "would terminate", NULL);
	}
	else if (DatumGetBool(DirectFunctionCall2(pg_terminate_backend,
											  Int32GetDatum(backend->pid),
											  Int64GetDatum(0))))
	{
		order->done++;
		log_end(order, backend);
		put_row(order, backend, "terminated", NULL);
	}
	else
		put_row(order, backend, "spared", "is gone");
}

/*-------------------------------------------------------------------------
 * Which connections
 *-------------------------------------------------------------------------
 */

static bool
is_meant(const Order *order, const PgpsInstanceState *state)
{
	return state != NULL && state->pool == order->pool &&
		(order->instance == NULL ||
		 strcmp(order->instance, state->data->name) == 0);
}

/* Longest idle first */
static int
compare_backends(const ListCell *a, const ListCell *b)
{
	const PgpsBackend *x = lfirst(a);
	const PgpsBackend *y = lfirst(b);

	return (x->state_change > y->state_change) -
		(x->state_change < y->state_change);
}

/* The connections that are meant, whatever they do */
static List *
list_connections(const Order *order)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < order->snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &order->snapshot->backends[i];

		CHECK_FOR_INTERRUPTS();
		if (is_meant(order, pgps_instance_of(order->snapshot, backend)))
			result = lappend(result, unconstify(PgpsBackend *, backend));
	}
	list_sort(result, compare_backends);
	return result;
}

static void
end_idle(Order *order, bool in_xact, TimestampTz before)
{
	List	   *connections = list_connections(order);
	const ListCell *lc;

	foreach(lc, connections)
	{
		const PgpsBackend *backend = lfirst(lc);

		if ((in_xact ? backend->idle_in_xact : backend->state == STATE_IDLE) &&
			backend->state_change <= before)
			end_one(order, backend);
	}
}

/*
 * Of the candidates, those that are idle longest, and no more than have leaked:
 * the others may be in use.
 */
static void
end_leaked(Order *order, TimestampTz before)
{
	int			nleaks;
	PgpsLeak   *leaks = pgps_find_leaks(order->snapshot, &nleaks);
	int			n;

	for (n = 0; n < nleaks; n++)
	{
		const PgpsLeak *leak = &leaks[n];
		int			i;

		if (!is_meant(order, leak->state))
			continue;
		for (i = 0; i < leak->nsuspects; i++)
		{
			const PgpsBackend *backend = leak->suspects[i].backend;

			if (i >= leak->candidates)
				put_row(order, backend, "spared",
						leak->suspects[i].exempt == PGPS_EXEMPT_LISTENS ?
						"listens" : "holds an advisory lock");
			else if (i >= leak->at_least)
				put_row(order, backend, "left",
						psprintf("only %d of %d have leaked", leak->at_least,
								 leak->candidates));
			else if (backend->state_change > before)
				put_row(order, backend, "left", "not idle for so long");
			else
				end_one(order, backend);
		}
	}
}

static void
end_old_version(Order *order, const char *version)
{
	List	   *connections = list_connections(order);
	const ListCell *lc;

	foreach(lc, connections)
	{
		const PgpsBackend *backend = lfirst(lc);

		if (strcmp(pgps_instance_of(order->snapshot, backend)->data->app_version,
				   version) != 0)
			continue;
		if (backend->state == STATE_IDLE)
			end_one(order, backend);
		else
			put_row(order, backend, "busy", "call again");
	}
}

/*-------------------------------------------------------------------------
 * The functions
 *-------------------------------------------------------------------------
 */

/* "orders on shop: 3 connections ended by role ops" */
static void
note_incident(const Order *order)
{
	PgpsSubject *subject;
	char		role[NAMEDATALEN];

	if (order->dry_run || order->done == 0)
		return;
	subject = pgps_make_pool_subject(order->pool->data);
	pgps_clean_text(role, sizeof(role), GetUserNameFromId(GetUserId(), false));
	pgps_add_act(order->act, subject, order->done,
				 psprintf("%s: %s ended by role %s",
						  pgps_subject_text(subject),
						  pgps_count_text(order->done, "connection"),
						  pgps_short_name(role)));
}

/* The arguments that both have; from "n" on usename, datname, instance */
static void
begin_order(Order *order, FunctionCallInfo fcinfo, PgpsAct act, int n)
{
	PGPS_REQUIRE(0, "pool");
	order->act = act;
	order->row = PGPS_BEGIN_VIEW(ENDED_COLUMNS);
	order->snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	order->at_most = PG_INT32_MAX;
	order->pool = find_pool(order->snapshot,
							text_to_cstring(PG_GETARG_TEXT_PP(0)),
							PG_ARGISNULL(n) ? NULL : NameStr(*PG_GETARG_NAME(n)),
							PG_ARGISNULL(n + 1) ? NULL : NameStr(*PG_GETARG_NAME(n + 1)));
	if (!PG_ARGISNULL(n + 2))
		order->instance = text_to_cstring(PG_GETARG_TEXT_PP(n + 2));
	check_rights(order->pool->data);
}

static TimestampTz
idle_before(FunctionCallInfo fcinfo, int n)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																 TimestampTzGetDatum(now),
																 PointerGetDatum(PG_GETARG_INTERVAL_P(n))));

	if (before > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idle_for must not be negative")));
	return before;
}

/* terminate(pool, state, idle_for, max_count, dry_run, usename, datname, instance) */
Datum
pgps_terminate(PG_FUNCTION_ARGS)
{
	Order		order = {0};
	const char *state;
	TimestampTz before;

	PGPS_REQUIRE(1, "state");
	PGPS_REQUIRE(2, "idle_for");
	PGPS_REQUIRE(4, "dry_run");
	state = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(state, "idle") != 0 && strcmp(state, "leaked") != 0 &&
		strcmp(state, "idle in transaction") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid state: \"%s\"", state),
				 errdetail("Expected \"idle\", \"idle in transaction\" or \"leaked\".")));
	before = idle_before(fcinfo, 2);
	order.dry_run = PG_GETARG_BOOL(4);
	begin_order(&order, fcinfo, PGPS_ACT_TERMINATE, 5);
	if (!PG_ARGISNULL(3))
		order.at_most = PG_GETARG_INT32(3);
	if (order.at_most < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_count must not be negative")));

	PG_TRY();
	{
		if (strcmp(state, "leaked") == 0)
			end_leaked(&order, before);
		else
			end_idle(&order, strcmp(state, "idle") != 0, before);
	}
	PG_FINALLY();
	{
		note_incident(&order);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/* drain(pool, old_version, dry_run, usename, datname, instance) */
Datum
pgps_drain(PG_FUNCTION_ARGS)
{
	Order		order = {0};

	PGPS_REQUIRE(1, "old_version");
	PGPS_REQUIRE(2, "dry_run");
	order.dry_run = PG_GETARG_BOOL(2);
	begin_order(&order, fcinfo, PGPS_ACT_DRAIN, 3);
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("old_version must not be empty")));

	PG_TRY();
	{
		end_old_version(&order, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	}
	PG_FINALLY();
	{
		note_incident(&order);
	}
	PG_END_TRY();
	return (Datum) 0;
}
