/*-------------------------------------------------------------------------
 *
 * session_rules.c
 *	  Alert rules about how connections are made and how they end.
 *
 * Levels are written as enabled, warning, critical, clear, for_time.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "alerts/cause.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "alerts/session_trends.h"
#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/life.h"

#define LOST_PERCENT 1			/* of those that ended: less is normal */
#define MANY_CONNECTS 20		/* with fewer nothing is said of their times */

/* Each pool, alive or not, with what it finds there. */
static void
look_at_pools(PgpsLook *look,
			  bool (*finds) (PgpsLook *look, PgpsFinding *found))
{
	int			i;

	for (i = 0; i < look->snapshot->npools; i++)
	{
		PgpsFinding found = {0};

		look->pool = &look->snapshot->pools[i];
		if (look->pool->only_reports)
			continue;
		found.subject = pgps_make_pool_subject(look->pool->data);
		look->window_start = look->now -
			pgps_levels(look->rule, found.subject, look->overrides).for_time;
		if (finds(look, &found))
			pgps_add_finding(look, &found);
	}
}

static PgpsCauseKind
cause_of_end(PgpsEndReason reason)
{
	switch (reason)
	{
		case PGPS_END_CRASH:
			return PGPS_CAUSE_CRASH;
		case PGPS_END_CLIENT_CLOSED:
		case PGPS_END_CONNECTION_LOST:
		case PGPS_END_CONNECTION_RESET:
			return PGPS_CAUSE_CUT_OFF;
		default:
			return PGPS_CAUSE_ENDED;
	}
}

static bool
has_lost(PgpsLook *look, PgpsFinding *found)
{
	PgpsLostSessions sessions;

	pgps_sessions_lost(look->pool, look->window_start, &sessions);
	found->value = sessions.lost;
	found->implied = cause_of_end(sessions.most);
	return sessions.lost * 100 > sessions.ended * LOST_PERCENT;
}

static void
look_for_lost(PgpsLook *look)
{
	look_at_pools(look, has_lost);
}

static void
say_lost(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	PgpsLostSessions sessions;

	pgps_sessions_lost(look->pool, look->window_start, &sessions);
	appendStringInfo(text, INT64_FORMAT " of " INT64_FORMAT " connections that ended in the last %s were lost",
					 sessions.lost, sessions.ended,
					 pgps_duration_text(found->levels.for_time));
	if (sessions.of_most == sessions.lost)
		appendStringInfo(text, ": %s", pgps_end_reason_name(sessions.most));
	else
		appendStringInfo(text, ", " INT64_FORMAT " of them: %s",
						 sessions.of_most,
						 pgps_end_reason_name(sessions.most));

	/* the server knows of no culprit */
	if (sessions.most == PGPS_END_TERMINATED)
		appendStringInfoString(text, ", by whom is not known");
	else if (sessions.most == PGPS_END_CRASH)
		appendStringInfoString(text, ", of which process is not known");
}

const PgpsRule pgps_rule_sessions_lost = {
	.name = "sessions_lost",
	.unit = "connections",
	.windowed = true,
	.levels = {true, 5, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.description = "Connections that the server ended, or that were cut off in a transaction, within for_time; if more than 1 % of those that ended",
	.hint = "The application saw broken connections: see disconnects for what ended them.",
	.look = look_for_lost,
	.say = say_lost
};

static bool
connects_slowly(PgpsLook *look, PgpsFinding *found)
{
	uint32		times[PGPS_XACT_BUCKETS];

	found->used = pgps_connect_times(look->pool, look->window_start, times);
	if (found->used < MANY_CONNECTS)
		return false;
	found->value = pgps_sessions_percentile(times, 0.95) / USECS_PER_SEC;
	return true;
}

static void
look_for_slow(PgpsLook *look)
{
	look_at_pools(look, connects_slowly);
}

static void
say_slow(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "5 %% of %s in the last %s took %.1f s or more",
					 pgps_count_text(found->used, "connect"),
					 pgps_duration_text(found->levels.for_time), found->value);
}

const PgpsRule pgps_rule_slow_connect = {
	.name = "slow_connect",
	.unit = "s",
	.windowed = true,
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.description = "95th percentile of the time the server took to make a connection, of 20 or more within for_time",
	.hint = "See auth_time_p95 in sessions: most of it is either there (LDAP, RADIUS, DNS, scram iterations) or in starting the session.",
	.look = look_for_slow,
	.say = say_slow
};
