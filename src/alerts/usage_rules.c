/*-------------------------------------------------------------------------
 *
 * usage_rules.c
 *	  Alert rules about how applications use their connections.
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
#include "analysis/forks.h"
#include "analysis/leaks.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/registry.h"
#include "registry/status.h"

/* what an instance has leaked */
typedef struct Leaked
{
	int			connections;	/* at the least */
	int			by_kind[PGPS_LEAK_KINDS];
	TimestampTz since;
} Leaked;

/* By instance */
static void *
find_leaked(const PgpsSnapshot *snapshot)
{
	int			nleaks;
	const PgpsLeak *leaks = pgps_find_leaks(snapshot, &nleaks);
	Leaked	   *leaked = palloc0(Max(snapshot->ninstances, 1) *
								 sizeof(Leaked));
	int			i;

	for (i = 0; i < nleaks; i++)
	{
		Leaked	   *of = &leaked[leaks[i].state - snapshot->instances];

		if (leaks[i].at_least == 0)
			continue;
		of->connections += leaks[i].at_least;
		of->by_kind[leaks[i].kind] = leaks[i].at_least;
		of->since = of->since == 0 ? leaks[i].since :
			Min(of->since, leaks[i].since);
	}
	return leaked;
}

static bool
has_leaked(const PgpsLook *look, const PgpsInstanceState *state,
		   PgpsFinding *found)
{
	const Leaked *leaked = look->prepared;

	leaked += state - look->snapshot->instances;
	found->value = leaked->connections;
	found->since = leaked->since;
	found->details = leaked;
	found->implied = leaked->by_kind[PGPS_LEAK_IN_XACT] * 2 > leaked->connections ?
		PGPS_CAUSE_IDLE_IN_XACT : PGPS_CAUSE_LENT_IDLE;
	return found->value > 0;
}

/* All in one way, or so many in each */
static void
say_leak(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	static const char *const ways[PGPS_LEAK_KINDS] = {
		"idle on the server", "idle in transaction",
		"amid a statement whose result is not read"
	};
	const Leaked *leaked = found->details;
	const char *before = ": ";
	int			kind;

	appendStringInfo(text, "at least %s lent out",
					 pgps_count_text(leaked->connections, "connection"));
	for (kind = 0; kind < PGPS_LEAK_KINDS; kind++)
	{
		if (leaked->by_kind[kind] == 0)
			continue;
		if (leaked->by_kind[kind] == leaked->connections)
		{
			appendStringInfo(text, " and %s", ways[kind]);
			return;
		}
		appendStringInfo(text, "%s%d %s", before, leaked->by_kind[kind],
						 ways[kind]);
		before = ", ";
	}
}

const PgpsRule pgps_rule_leak = {
	.name = "leak",
	.unit = "connections",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "Connections lent out that the server has seen nothing on for leak_after, or whose client has not read its result for so long",
	.hint = "See the view leaks.",
	.prepare = find_leaked,
	.look_at_instance = has_leaked,
	.say = say_leak
};

static bool
shares_by_fork(const PgpsLook *look, const PgpsInstanceState *state,
			   PgpsFinding *found)
{
	found->value = 1;
	if (!state->data->fork_shared || state->now.late ||
		state->server.via_pooler)
		return false;
	found->implied = PGPS_CAUSE_FORK;
	found->with = pgps_shares_with(state);
	return found->with != NULL;
}

static void
say_fork_sharing(StringInfo text, const PgpsLook *look,
				 const PgpsFinding *found)
{
	appendStringInfo(text, "%d of %s %s the connection of another process",
					 found->count, pgps_count_text(look->pool->live, "instance"),
					 found->count == 1 ? "uses" : "use");
	appendStringInfo(text, ": %s that of",
					 pgps_short_instance(found->state->data->name));
	appendStringInfo(text, " %s", pgps_short_instance(found->with->data->name));
}

const PgpsRule pgps_rule_fork_sharing = {
	.name = "fork_sharing",
	.unit = "instances",
	.levels = {true, 1, 1, PGPS_NO_LEVEL, 0},
	.description = "Two processes of one host use the same connection",
	.hint = "Results go to the wrong process: make the pool after the fork.",
	.look_at_instance = shares_by_fork,
	.say = say_fork_sharing
};

static bool
is_shared(const PgpsLook *look, const PgpsInstanceState *state,
		  PgpsFinding *found)
{
	found->value = 1;
	return state->data->carry.shared && !state->now.late;
}

static void
say_shared(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "several processes report as instance %s",
					 pgps_short_instance(found->state->data->name));
}

const PgpsRule pgps_rule_shared_instance = {
	.name = "shared_instance",
	.unit = "instances",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "Several processes report under one instance name",
	.hint = "Give each process an instance of its own, such as host:pid.",
	.look_at_instance = is_shared,
	.say = say_shared
};

/*
 * Connections that came, ran next to nothing and were closed.  What the server
 * ended is not the application's doing.
 */
static bool
does_not_pool(const PgpsLook *look, const PgpsInstanceState *state,
			  PgpsFinding *found)
{
	TimestampTz start = look->window_start;
	int64		ended = pgps_rise(state, PGPS_WORK_SESSIONS, start);

	if (state->server.via_pooler || ended <= 0 ||
		pgps_rise(state, PGPS_SESSION_XACTS, start) >= PGPS_POOLED_XACTS * ended)
		return false;
	found->value = ended * (double) USECS_PER_MINUTE /
		Max(look->now - start, USECS_PER_SEC);
	return true;
}

/* The library may have told why it closed most of them. */
static void
say_no_pooling(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	const PgpsInstanceState *state = found->state;
	TimestampTz start = look->now - found->levels.for_time;
	int64		ended = pgps_rise(state, PGPS_WORK_SESSIONS, start);

	appendStringInfo(text, "%s a minute closed after %.1f transactions and %.1f s on average",
					 pgps_count_text(found->value, "connection"),
					 (double) pgps_rise(state, PGPS_SESSION_XACTS, start) / ended,
					 pgps_rise(state, PGPS_SESSION_TIME, start) /
					 (double) USECS_PER_SEC / ended);
	if (pgps_rise(state, PGPS_IDLE_CLOSED, start) * 2 > ended)
		appendStringInfoString(text, ", most because the pool keeps too few idle ones");
	else if (pgps_rise(state, PGPS_LIFETIME_CLOSED, start) * 2 > ended)
		appendStringInfoString(text, ", most at the pool's maximum lifetime");
}

const PgpsRule pgps_rule_no_pooling = {
	.name = "no_pooling",
	.unit = "connections/min",
	.windowed = true,
	.levels = {true, 60, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.trends = PGPS_TREND(PGPS_WORK_SESSIONS) | PGPS_TREND(PGPS_SESSION_XACTS) |
	PGPS_TREND(PGPS_SESSION_TIME) | PGPS_TREND(PGPS_IDLE_CLOSED) |
	PGPS_TREND(PGPS_LIFETIME_CLOSED),
	.description = "Connections closed by an application after fewer than 3 transactions on average, by the minute, within for_time",
	.hint = "Without a pool an application connects for every request: use one. A pool does so if it keeps too few idle connections, or none for long: see sessions.",
	.look_at_instance = does_not_pool,
	.say = say_no_pooling
};

/* By instance: the backend that waits in its transaction for longest */
static void *
find_oldest_idle(const PgpsSnapshot *snapshot)
{
	const PgpsBackend **oldest = palloc0(Max(snapshot->ninstances, 1) *
										 sizeof(PgpsBackend *));
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);
		const PgpsBackend **place;

		if (!backend->idle_in_xact || state == NULL)
			continue;
		place = &oldest[state - snapshot->instances];
		if (*place == NULL || backend->state_change < (*place)->state_change)
			*place = backend;
	}
	return oldest;
}

static bool
idles_in_transaction(const PgpsLook *look, const PgpsInstanceState *state,
					 PgpsFinding *found)
{
	const PgpsBackend *const *oldest = look->prepared;
	const PgpsBackend *backend = oldest[state - look->snapshot->instances];

	if (backend == NULL)
		return false;
	found->backend = backend;
	found->implied = PGPS_CAUSE_IDLE_IN_XACT;
	found->since = backend->state_change;
	found->value = pgps_seconds_since(look, backend->state_change);
	return true;
}

static void
say_idle_in_transaction(StringInfo text, const PgpsLook *look,
						const PgpsFinding *found)
{
	appendStringInfo(text, "idle in transaction for %s (pid %d)",
					 pgps_duration_text(look->now - found->since),
					 found->backend->pid);
}

const PgpsRule pgps_rule_idle_in_transaction = {
	.name = "idle_in_transaction",
	.unit = "s",
	.levels = {true, 300, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "The oldest connection that waits inside a transaction",
	.hint = "It holds its locks and keeps vacuum from cleaning up: see connections and pg_locks.",
	.prepare = find_oldest_idle,
	.look_at_instance = idles_in_transaction,
	.say = say_idle_in_transaction
};
