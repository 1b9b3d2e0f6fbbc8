/*-------------------------------------------------------------------------
 *
 * sentence.c
 *	  The sentence of an alert or incident: what its rule says, and why.
 *
 * Made when it is read, by what the reader may see.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/backend_status.h"
#include "utils/wait_event.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "analysis/holdup.h"
#include "base/settings.h"
#include "server/origin.h"

/* a cause that was not seen for longer is said to be over */
#define STILL_THERE Max(2 * USECS_PER_SEC, 2000 * (int64) pgps_sample_interval)

/* For what many sessions read: it names no role's connection. */
bool
pgps_sees_nobody(Oid roleid)
{
	return !OidIsValid(roleid);
}

static bool
may_name(const PgpsParty *party, PgpsMaySee may_see)
{
	return !OidIsValid(party->roleid) || may_see == NULL ||
		may_see(party->roleid);
}

static void
append_party(StringInfo text, const PgpsParty *party, PgpsMaySee may_see)
{
	if (party->what[0] != '\0')
		appendStringInfoString(text, party->what);
	else if (!may_name(party, may_see))
		appendStringInfo(text, "another role's connection%s",
						 party->pid == 0 ? "s" : "");
	else if (party->pool[0] == '\0')
		appendStringInfoString(text, "a connection");
	else
	{
		appendStringInfoString(text, pgps_short_name(party->pool));
		if (party->instance[0] != '\0')
			appendStringInfo(text, " %s", pgps_short_instance(party->instance));
		if (party->via[0] != '\0')
			appendStringInfo(text, " via %s", pgps_short_name(party->via));
	}
}

static void
append_process(StringInfo text, const PgpsParty *party, PgpsMaySee may_see)
{
	append_party(text, party, may_see);
	if (party->pid != 0)
		appendStringInfo(text, " (pid %d)", party->pid);
}

/* "migrate mig-1:77", with whole names; NULL = nobody is known */
char *
pgps_culprit_text(const PgpsCause *cause, PgpsMaySee may_see)
{
	const PgpsParty *culprit = &cause->culprit;
	StringInfoData text;

	if (cause->kind == PGPS_CAUSE_NONE || !pgps_party_is_known(culprit))
		return NULL;
	if (culprit->what[0] == '\0' && culprit->pool[0] != '\0' &&
		may_name(culprit, may_see))
	{
		if (culprit->instance[0] == '\0')
			return pstrdup(culprit->pool);
		return psprintf("%s %s%s%s", culprit->pool, culprit->instance,
						cause->kind == PGPS_CAUSE_FORK ? " and " : "",
						cause->kind == PGPS_CAUSE_FORK ? cause->between.instance : "");
	}
	initStringInfo(&text);
	append_party(&text, culprit, may_see);
	return text.data;
}

/* What the culprit does: shown by pg_stat_activity to those who may see it */
static void
append_state(StringInfo text, const PgpsCause *cause, TimestampTz at,
			 PgpsMaySee may_see)
{
	const char *state =
		cause->state == STATE_IDLEINTRANSACTION ? "idle in transaction" :
		cause->state == STATE_IDLEINTRANSACTION_ABORTED ? "idle in a failed transaction" :
		cause->state == STATE_RUNNING ? "active" :
		cause->state == STATE_IDLE ? "idle" : NULL;

	if (state != NULL && may_name(&cause->culprit, may_see))
		appendStringInfo(text, ", %s for %s", state,
						 pgps_duration_text(at - cause->state_since));
}

static void
append_lock(StringInfo text, const PgpsCause *cause, TimestampTz at,
			PgpsMaySee may_see)
{
	bool		all = cause->behind >= cause->looked_at;

	appendStringInfo(text, "%d wait%s for ", cause->count,
					 cause->count == 1 ? "s" : "");
	if (!pgps_party_is_known(&cause->culprit))
	{
		appendStringInfoString(text, cause->count == 1 ? "a lock" : "locks");
		return;
	}
	if (all && cause->looked_at >= cause->count)
		appendStringInfoString(text, "a lock of ");
	else if (all)
		appendStringInfo(text, "locks, %s%d looked at behind ",
						 cause->looked_at > 1 ? "all " : "", cause->looked_at);
	else
		appendStringInfo(text, "locks, %d of %d looked at behind ",
						 cause->behind, cause->looked_at);
	append_process(text, &cause->culprit, may_see);
	append_state(text, cause, at, may_see);
	if (pgps_party_is_known(&cause->between))
	{
		appendStringInfoString(text, "; in between ");
		append_process(text, &cause->between, may_see);
		appendStringInfoString(text, " asks for AccessExclusiveLock");
	}
}

static void
append_all_or(StringInfo text, const PgpsCause *cause)
{
	if (cause->count == cause->of && cause->of > 1)
		appendStringInfoString(text, "all");
	else
		appendStringInfo(text, "%d", cause->count);
}

static void
append_idle(StringInfo text, const PgpsCause *cause)
{
	bool		one = cause->count == 1;

	append_all_or(text, cause);
	appendStringInfoString(text, " idle in transaction");
	if (cause->queryid != 0 && cause->of_query == cause->count)
		appendStringInfo(text, " after query " INT64_FORMAT, cause->queryid);
	appendStringInfo(text, "%s for %s", one ? "" : ", the oldest",
					 pgps_duration_text(cause->seen_at - cause->oldest_since));
	if (cause->kind == PGPS_CAUSE_NESTED)
		appendStringInfoString(text, ", while callers wait: they may wait for each other");
	else
		appendStringInfo(text, ", the application holds %s", one ? "it" : "them");
}

/* What its active connections do */
static void
append_active(StringInfo text, const PgpsCause *cause)
{
	appendStringInfo(text, "%d %s", cause->count,
					 pgps_cause_words(cause->kind, cause->count == 1));
	if (cause->kind == PGPS_CAUSE_CLIENT && cause->sending == cause->count)
		appendStringInfoString(text, " to send");
	else if (cause->kind == PGPS_CAUSE_CLIENT && cause->sending == 0)
		appendStringInfoString(text, " to read");
	else if (cause->kind == PGPS_CAUSE_OTHER)
		appendStringInfo(text, " (%s)",
						 pgstat_get_wait_event_type(cause->wait_class));
	else if (cause->kind == PGPS_CAUSE_CPU && cause->busy >= 0)
		appendStringInfo(text, " (of all pools %.1f, on %g core%s)",
						 cause->busy, cause->cores, cause->cores == 1 ? "" : "s");
	if (cause->queryid != 0 && cause->of_query > 0)
	{
		if (cause->of_query < cause->count)
			appendStringInfo(text, ", %d of them", cause->of_query);
		appendStringInfo(text, " in query " INT64_FORMAT, cause->queryid);
	}
	appendStringInfo(text, ", %sstatement for %s",
					 cause->count == 1 ? "its " : "the oldest ",
					 pgps_duration_text(cause->seen_at - cause->oldest_since));
}

static void
append_unused(StringInfo text, const PgpsCause *cause)
{
	append_all_or(text, cause);
	appendStringInfoString(text, " lent but idle on the server");
	if (pgps_party_is_known(&cause->culprit))
		appendStringInfo(text, "%s for %s",
						 cause->count == 1 ? "" : ", the longest",
						 pgps_duration_text(cause->seen_at - cause->oldest_since));
	if (cause->as_of != 0)
		appendStringInfo(text, ", by its report of %s ago",
						 pgps_duration_text(cause->seen_at - cause->as_of));
}

static void
append_rejected(StringInfo text, const PgpsCause *cause, const char *noun)
{
	appendStringInfo(text, "%s rejected in %s",
					 pgps_count_text(cause->rejected, noun),
					 pgps_duration_text(cause->seen_at - cause->rejected_since));
}

/* Who holds it, and what they do with it */
static void
append_holders(StringInfo text, const PgpsCause *cause, PgpsMaySee may_see)
{
	int			others = cause->others;
	const char *comma = "";
	int			i;

	for (i = 0; i < cause->nholders; i++)
	{
		const PgpsHolder *holder = &cause->holders[i];
		const char *inner = " (";

		if (may_see != NULL && !may_see(holder->roleid))
		{
			others += holder->connections;
			continue;
		}
		appendStringInfo(text, "%s%s %d", comma, pgps_short_name(holder->pool),
						 holder->connections);
		comma = ", ";
		if (cause->kind == PGPS_CAUSE_COMMITTED)
			continue;
		if (holder->superuser)
		{
			appendStringInfo(text, "%ssuperuser", inner);
			inner = ", ";
		}
		if (holder->idle > 0)
		{
			appendStringInfo(text, "%s%d idle", inner, holder->idle);
			inner = ", ";
		}
		if (holder->idle_in_xact > 0)
		{
			appendStringInfo(text, "%s%d idle in transaction", inner,
							 holder->idle_in_xact);
			inner = ", ";
		}
		if (inner[0] == ',')
			appendStringInfoChar(text, ')');
	}
	if (others > 0)
		appendStringInfo(text, "%sothers %d", comma, others);
}

/* Who waits in a pooler, and why */
static void
append_pooler(StringInfo text, const PgpsCause *cause, PgpsMaySee may_see)
{
	static const char *const why[PGPS_HOLDUPS] = {
		[PGPS_HOLDUP_PAUSED] = "paused",
		[PGPS_HOLDUP_DISABLED] = "the database is disabled there",
		[PGPS_HOLDUP_LOGIN] = "its logins are rejected here",
		[PGPS_HOLDUP_LIMIT] = "a limit of this server rejects its connections",
		[PGPS_HOLDUP_NO_CONNECTION] = "it has no connection here, and none was rejected: paused, or it does not reach this server",
		[PGPS_HOLDUP_FULL] = "all its connections are lent",
		[PGPS_HOLDUP_CONNECTING] = "it may open more connections, and has not",
		[PGPS_HOLDUP_CLIENT_LIMIT] = "it takes no more clients"
	};

	if (cause->clients > 0)
	{
		appendStringInfo(text, cause->clients == 1 ? "%d client" : "%d clients",
						 cause->clients);
		if (cause->waiting_app[0] != '\0')
			appendStringInfo(text, " of %s%s", pgps_short_name(cause->waiting_app),
							 cause->several_wait ? " and others" : "");
		appendStringInfoString(text, cause->clients == 1 ? " waits in " : " wait in ");
	}
	appendStringInfoString(text, cause->culprit.what);
	if (cause->holdup == PGPS_HOLDUP_IDLE_SESSIONS)
	{
		appendStringInfo(text, " (%d of %d held by idle sessions of ",
						 cause->idle, cause->of);
		append_party(text, &cause->holder, may_see);
		appendStringInfo(text, "%s, the longest for %s)",
						 cause->several_hold ? " and others" : "",
						 pgps_duration_text(cause->seen_at - cause->oldest_since));
	}
	else if (why[cause->holdup] != NULL)
		appendStringInfo(text, " (%s)", why[cause->holdup]);
}

static void
append_cause(StringInfo text, const PgpsCause *cause, TimestampTz at,
			 PgpsMaySee may_see)
{
	switch (cause->kind)
	{
		case PGPS_CAUSE_LOCK:
			append_lock(text, cause, cause->seen_at, may_see);
			break;
		case PGPS_CAUSE_IDLE_IN_XACT:
		case PGPS_CAUSE_NESTED:
			append_idle(text, cause);
			break;
		case PGPS_CAUSE_CPU:
		case PGPS_CAUSE_IO:
		case PGPS_CAUSE_LWLOCK:
		case PGPS_CAUSE_CLIENT:
		case PGPS_CAUSE_OTHER:
			append_active(text, cause);
			break;
		case PGPS_CAUSE_LENT_IDLE:
			append_unused(text, cause);
			break;
		case PGPS_CAUSE_GHOSTS:
			appendStringInfo(text, "%d of %d lent to connections that are not here",
							 cause->count, cause->of);
			break;
		case PGPS_CAUSE_NOT_CONNECTED:
			append_rejected(text, cause, "login");
			appendStringInfo(text, ", the last by %s",
							 pgps_reason_name(cause->reason));
			break;
		case PGPS_CAUSE_POOLER:
			append_pooler(text, cause, may_see);
			break;
		case PGPS_CAUSE_SERVER_FULL:
		case PGPS_CAUSE_ROLE_FULL:
		case PGPS_CAUSE_DATABASE_FULL:
			if (cause->rejected > 0)
			{
				append_rejected(text, cause, "connection");
				appendStringInfo(text, ", the limit of %s is held by ",
								 cause->kind == PGPS_CAUSE_SERVER_FULL ?
								 "the server" : cause->culprit.what);
			}
			append_holders(text, cause, may_see);
			break;
		case PGPS_CAUSE_POOL_FULL:
			if (cause->rejected > 0)
			{
				append_rejected(text, cause, "connection");
				appendStringInfoString(text, ", pool_limits allows no more than ");
			}
			append_holders(text, cause, may_see);
			break;
		case PGPS_CAUSE_COMMITTED:
			append_holders(text, cause, may_see);
			break;
		default:
			return;
	}
	if (cause->also_count > 0)
		appendStringInfo(text, " + %d %s", cause->also_count,
						 pgps_cause_words(cause->also, cause->also_count == 1));
	if (at - cause->seen_at > STILL_THERE)
		appendStringInfo(text, ", until %s ago",
						 pgps_duration_text(at - cause->seen_at));
}

/*
 * All of it, at most PGPS_MESSAGE_LEN with the final zero byte.  may_see: NULL
 * = everything.
 */
char *
pgps_sentence(const char *message, const PgpsCause *cause, TimestampTz at,
			  PgpsMaySee may_see)
{
	StringInfoData sentence;

	initStringInfo(&sentence);
	appendStringInfoString(&sentence, message);
	if (cause->kind != PGPS_CAUSE_NONE && !cause->said)
	{
		appendStringInfoString(&sentence, ": ");
		append_cause(&sentence, cause, at, may_see);
	}
	if (sentence.len >= PGPS_MESSAGE_LEN)
		sentence.data[PGPS_MESSAGE_LEN - 1] = '\0';
	return sentence.data;
}
