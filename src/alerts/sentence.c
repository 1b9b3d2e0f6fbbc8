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

#include "lib/stringinfo.h"

#include "alerts/alerts.h"
#include "base/settings.h"

/* a cause that was not seen for longer is said to be over */
#define STILL_THERE Max(2 * USECS_PER_SEC, 2000 * (int64) pgps_sample_interval)

static const struct
{
	const char *name;
	const char *hint;
}			kinds[PGPS_NCAUSES] = {
	[PGPS_CAUSE_LOCK] = {
		"lock",
		"That transaction must end: let it finish, or end its connection; lock_timeout and idle_in_transaction_session_timeout end such by themselves."
	},
	[PGPS_CAUSE_IDLE_IN_XACT] = {
		"idle in transaction",
		"The application keeps transactions open between its statements: look there; idle_in_transaction_session_timeout ends such by themselves."
	}
};

/* NULL for none */
const char *
pgps_cause_name(PgpsCauseKind kind)
{
	return kinds[kind].name;
}

/* What to do about it; NULL if its rule knows better */
const char *
pgps_cause_hint(const PgpsCause *cause)
{
	/* it is another's by the time that somebody ends it */
	if (cause->culprit.via[0] != '\0')
		return "That transaction must end: see chains for who uses that connection of the pooler; lock_timeout ends such waits by itself.";
	return kinds[cause->kind].hint;
}

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
		appendStringInfoString(text, "another role's connection");
	else if (party->pool[0] == '\0')
		appendStringInfoString(text, "a connection");
	else
	{
		appendStringInfoString(text, pgps_short_name(party->pool));
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
		return psprintf("%s %s", culprit->pool, culprit->instance);
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
		cause->state == STATE_RUNNING ? "active" : NULL;

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
append_idle(StringInfo text, const PgpsCause *cause, TimestampTz at)
{
	if (cause->count == cause->of && cause->of > 1)
		appendStringInfoString(text, "all");
	else
		appendStringInfo(text, "%d", cause->count);
	appendStringInfo(text, " idle in transaction%s for %s, the application holds %s",
					 cause->count > 1 ? ", the oldest" : "",
					 pgps_duration_text(at - cause->state_since),
					 cause->count > 1 ? "them" : "it");
}

static void
append_cause(StringInfo text, const PgpsCause *cause, TimestampTz at,
			 PgpsMaySee may_see)
{
	switch (cause->kind)
	{
		case PGPS_CAUSE_LOCK:
			append_lock(text, cause, cause->seen_at, may_see);
			if (cause->idle_in_xact > 0)
				appendStringInfo(text, " + %d idle in transaction",
								 cause->idle_in_xact);
			break;
		case PGPS_CAUSE_IDLE_IN_XACT:
			append_idle(text, cause, cause->seen_at);
			break;
		default:
			return;
	}
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
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, message);
	if (cause->kind != PGPS_CAUSE_NONE)
	{
		appendStringInfoString(&text, ": ");
		append_cause(&text, cause, at, may_see);
	}
	if (text.len >= PGPS_MESSAGE_LEN)
		text.data[PGPS_MESSAGE_LEN - 1] = '\0';
	return text.data;
}
