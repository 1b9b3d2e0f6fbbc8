/*-------------------------------------------------------------------------
 *
 * dead_rules.c
 *	  Alert rules about what does not live: a pool at a standstill, processes
 *	  and connections that are not there any more, or that nobody uses.
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
#include "nodes/pg_list.h"

#include "alerts/cause.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/budget.h"
#include "analysis/history.h"
#include "analysis/holdup.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/activity.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/status.h"

#define MANY_CONNECTIONS 10		/* with fewer a pool does not hoard */
#define USED_PART 10			/* it does if it used one in so many */

/*-------------------------------------------------------------------------
 * stalled
 *-------------------------------------------------------------------------
 */

/*
 * Does a pooler have no connection, because this server rejects it?  Its
 * clients may not even wait: PgBouncer sends them away.
 */
static bool
is_rejected_pooler(const PgpsLook *look, const PgpsInstanceState *state,
				   PgpsFinding *found)
{
	PgpsHoldup	holdup;

	if (state->data->source != PGPS_SOURCE_POOLER ||
		pgps_get(&state->now.shown, PGPS_OPEN, -1) != 0)
		return false;
	pgps_find_holdup(&holdup, state, look->snapshot);
	if (holdup.kind != PGPS_HOLDUP_LOGIN && holdup.kind != PGPS_HOLDUP_LIMIT)
		return false;
	found->since = holdup.rejected_since;
	found->value = pgps_seconds_since(look, found->since);
	return true;
}

static bool
is_stalled(const PgpsLook *look, const PgpsInstanceState *state,
		   PgpsFinding *found)
{
	if (!state->counts)
		return false;
	if (state->now.status != PGPS_STALLED)
		return is_rejected_pooler(look, state, found);
	found->since = state->data->stalled_since;
	found->value = pgps_seconds_since(look, found->since);
	return true;
}

static void
say_stalled(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	const PgpsInstanceState *state = found->state;

	if (state->now.status != PGPS_STALLED)
	{
		appendStringInfoString(text, "the pooler has no connection to this server, which rejects it");
		return;
	}
	appendStringInfo(text, "%d of %s at a standstill for %s, %s and nothing is lent out",
					 found->count, pgps_count_text(look->pool->live, "instance"),
					 pgps_duration_text(look->now - found->since),
					 pgps_waiting_text(look, found,
									   pgps_found_sum(found, PGPS_WAITING)));
}

const PgpsRule pgps_rule_stalled = {
	.name = "stalled",
	.unit = "s",
	.levels = {true, PGPS_NO_LEVEL, 10, PGPS_NO_LEVEL, 0},
	.description = "Callers of an instance wait and nothing is lent out, in all reports of so long; or a pooler has no connection, and its logins are rejected",
	.hint = "It gets no connection: see rejections, and the log of the application or pooler.",
	.status = PGPS_STALLED,
	.explained = true,
	.look_at_instance = is_stalled,
	.say = say_stalled
};

/*-------------------------------------------------------------------------
 * ghosts
 *-------------------------------------------------------------------------
 */

static bool
has_ghosts(const PgpsLook *look, const PgpsInstanceState *state,
		   PgpsFinding *found)
{
	found->value = state->now.ghosts;
	return state->counts && found->value > 0;
}

static void
say_ghosts(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	if (found->count == 1)
		appendStringInfoString(text, "an instance counts");
	else
		appendStringInfo(text, "%d of %s count", found->count,
						 pgps_count_text(look->pool->live, "instance"));
	appendStringInfo(text, " %s as lent out that %s not here",
					 pgps_count_text(found->total, "connection"),
					 found->total == 1 ? "is" : "are");
}

const PgpsRule pgps_rule_ghosts = {
	.name = "ghosts",
	.unit = "connections",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 30 * USECS_PER_SEC},
	.description = "Connections that an instance counts as lent out and that are not here, in two reports running",
	.hint = "They were closed or cut off and never given back to the pool: the application must give back also what is broken. A restart of that process gives the slots back.",
	.look_at_instance = has_ghosts,
	.say = say_ghosts
};

/*-------------------------------------------------------------------------
 * lost
 *-------------------------------------------------------------------------
 */

/* Is a limit that counts the pool's connections nearly used up? */
static bool
is_short_of_slots(const PgpsLook *look, const PgpsPoolKey *key)
{
	const ListCell *lc;

	foreach(lc, look->limits)
	{
		const PgpsLimit *limit = lfirst(lc);

		if ((limit->scope == PGPS_SCOPE_SERVER ||
			 limit->oid == (limit->scope == PGPS_SCOPE_ROLE ?
							key->roleid : key->dbid)) &&
			pgps_is_used_up(look, limit, PGPS_SEVERITY_CRITICAL))
			return true;
	}
	return false;
}

static bool
is_lost(const PgpsLook *look, const PgpsInstanceState *state,
		PgpsFinding *found)
{
	if (!state->counts || state->now.status != PGPS_LOST)
		return false;
	found->value = state->server.connections - state->server.reporters;
	found->since = state->status_since;
	found->implied = PGPS_CAUSE_LOST;
	if (is_short_of_slots(look, &look->pool->data->key))
		found->at_least = PGPS_SEVERITY_CRITICAL;
	return true;
}

static void
say_lost(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	int			held = 0;
	int			i;

	for (i = 0; i < look->pool->ninstances; i++)
	{
		const PgpsInstanceState *state = look->pool->instances[i];

		if (state->live && state->now.status == PGPS_LOST)
			held += state->server.connections - state->server.reporters;
	}
	appendStringInfo(text, "%d of %s: no report and no statement for %s, hold%s %s",
					 found->count, pgps_count_text(look->pool->live, "instance"),
					 pgps_duration_text(look->now - found->state->data->last_report),
					 found->count == 1 ? "s" : "",
					 pgps_count_text(held, "connection"));
}

const PgpsRule pgps_rule_lost = {
	.name = "lost",
	.unit = "connections",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "Reports and statements of an instance stopped together, and it holds so many connections; critical when a limit that counts them is at critical of connections",
	.hint = "Its process is dead or cut off: end its connections, and let tcp_keepalives_idle or client_connection_check_interval do so by themselves.",
	.status = PGPS_LOST,
	.look_at_instance = is_lost,
	.say = say_lost
};

/*-------------------------------------------------------------------------
 * no_instance
 *-------------------------------------------------------------------------
 */

static void
look_for_instances(PgpsLook *look)
{
	int			i;

	for (i = 0; i < look->snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &look->snapshot->pools[i];
		PgpsFinding found = {0};

		if (!pgps_is_missing(pool))
			continue;
		found.subject = pgps_make_pool_subject(pool->data);
		found.since = pool->status_since;
		found.value = pgps_seconds_since(look, found.since);
		pgps_add_finding(look, &found);
	}
}

static void
say_no_instance(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "no live instance for %s",
					 pgps_duration_text(look->now - found->since));
}

/* Without a level: there are many pools that nobody waits for. */
const PgpsRule pgps_rule_no_instance = {
	.name = "no_instance",
	.unit = "s",
	.levels = {true, PGPS_NO_LEVEL, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "A pool has no live instance, and the last one neither said goodbye nor closed its connections. Without a level it is no alert, but check_status() of that pool is UNKNOWN unless this is off",
	.hint = "See whether its processes run, and rejections.",
	.look = look_for_instances,
	.say = say_no_instance
};

/*-------------------------------------------------------------------------
 * hoarding
 *-------------------------------------------------------------------------
 */

/* The server, if it runs short; else NULL */
static const PgpsLimit *
short_server(const PgpsLook *look)
{
	const ListCell *lc;

	foreach(lc, look->limits)
	{
		const PgpsLimit *limit = lfirst(lc);

		if (limit->scope == PGPS_SCOPE_SERVER &&
			pgps_is_used_up(look, limit, PGPS_SEVERITY_WARNING))
			return limit;
	}
	return NULL;
}

/*
 * The most connections that a pool used at once in a day: as many as it had
 * lent out, if it says so, else in a transaction.  -1 if not all of the day is
 * known, or it had few connections then.
 */
static int
most_used(const PgpsPoolState *pool, TimestampTz now)
{
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	int			n = pgps_history_read(pool->copy, PGPS_TEN_MINUTES, now, buckets);
	int			lent = 0;
	int			in_xact = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (buckets[i].max_connections < MANY_CONNECTIONS)
			n = 0;
		if (buckets[i].max_checked_out < 0)
			lent = -1;
		else if (lent >= 0)
			lent = Max(lent, buckets[i].max_checked_out);
		in_xact = Max(in_xact, buckets[i].max_in_xact);
	}
	pfree(buckets);
	if (n < PGPS_NTEN_MINUTES - 1)
		return -1;
	if (lent >= 0 && pool->reported)
		return lent;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsActivityCopy *activity = &pool->instances[i]->copy->activity;

		if (activity->peak_in_xact_at > now - USECS_PER_DAY)
			in_xact = Max(in_xact, activity->peak_in_xact);
	}
	return in_xact;
}

static void
look_for_hoards(PgpsLook *look)
{
	int			i;

	if (short_server(look) == NULL)
		return;
	for (i = 0; i < look->snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &look->snapshot->pools[i];
		PgpsFinding found = {0};
		int			used;

		if (pool->connections < MANY_CONNECTIONS || pool->via != NULL)
			continue;
		used = most_used(pool, look->now);
		if (used < 0 || used * USED_PART > pool->connections)
			continue;
		found.subject = pgps_make_pool_subject(pool->data);
		found.value = pool->connections;
		found.used = used;
		pgps_add_finding(look, &found);
	}
}

static void
say_hoarding(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "holds %s, of which at most " INT64_FORMAT " %s used at once in 24 h",
					 pgps_count_text(found->value, "connection"), found->used,
					 found->used == 1 ? "was" : "were");
}

const PgpsRule pgps_rule_hoarding = {
	.name = "hoarding",
	.unit = "connections",
	.levels = {true, MANY_CONNECTIONS, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "A pool holds so many connections of which at most a tenth was used at once in 24 h, while the server is above the warning of connections",
	.hint = "Make the pool smaller, or let it close idle connections: see sizing.",
	.look = look_for_hoards,
	.say = say_hoarding
};
