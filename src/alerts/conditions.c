/*-------------------------------------------------------------------------
 *
 * conditions.c
 *	  What is wrong with pools right now, by the alert rules.
 *
 * Instances do not share their connections, so each is looked at by itself;
 * the worst one speaks for its pool.  Collector only, inside a transaction.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "alerts/conditions.h"
#include "alerts/trends.h"
#include "analysis/leaks.h"
#include "base/settings.h"

/* what a rule has found at one instance */
typedef struct Found
{
	const PgpsInstanceView *view;
	double		value;
	PgpsSeverity at_least;
	TimestampTz since;
	const PgpsBackend *backend;
	int			count;			/* instances it was found at */
} Found;

typedef struct PoolWatch
{
	PgpsWatch  *watch;
	const PgpsPoolView *pool;
	TimestampTz now;
	TimestampTz window_start;	/* of the rule */

	/* by instance */
	const PgpsBackend **oldest_idle;	/* idle in transaction */
	int		   *leaked;
	TimestampTz *leaked_since;
} PoolWatch;

/* Does the rule find anything at an instance? */
typedef bool (*Look) (const PoolWatch *w, const PgpsInstanceView *view,
					  Found *found);

/*
 * A condition may be an alert, or keep one alive: write it down.  Returns
 * NULL if it cannot.
 */
PgpsCondition *
pgps_add_condition(PgpsWatch *watch, PgpsRule rule,
				   const PgpsSubject *subject, double value,
				   PgpsSeverity at_least)
{
	PgpsLevels	levels = pgps_levels(rule, subject, watch->overrides[rule]);
	PgpsCondition *condition;

	if (!levels.enabled ||
		(at_least == PGPS_SEVERITY_NONE &&
		 (levels.warning < 0 || value < levels.warning) &&
		 (levels.critical < 0 || value < levels.critical) &&
		 (levels.clear < 0 || value < levels.clear)))
		return NULL;
	condition = palloc0(sizeof(PgpsCondition));
	condition->rule = rule;
	condition->subject = *subject;
	condition->levels = levels;
	condition->value = value;
	condition->at_least = at_least;
	watch->found = lappend(watch->found, condition);
	return condition;
}

/* "41 min": in the largest unit that leaves at least 1 */
char *
pgps_duration_text(int64 duration)
{
	int64		s = Max(duration, 0) / USECS_PER_SEC;

	if (s < 60)
		return psprintf(INT64_FORMAT " s", s);
	if (s < 3600)
		return psprintf(INT64_FORMAT " min", s / 60);
	if (s < 2 * 86400)
		return psprintf(INT64_FORMAT " h", s / 3600);
	return psprintf(INT64_FORMAT " days", s / 86400);
}

static double
seconds_since(const PoolWatch *w, TimestampTz since)
{
	return Max(w->now - since, 0) / (double) USECS_PER_SEC;
}

/*-------------------------------------------------------------------------
 * The rules; each is asked about live instances only
 *-------------------------------------------------------------------------
 */

static bool
is_exhausted(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	if (!view->counts || view->now.status != PGPS_EXHAUSTED)
		return false;
	found->value = seconds_since(w, view->status_since);
	found->since = view->status_since;
	if (pgps_get(&view->now.shown, PGPS_WAITING, 0) > 0)
		found->at_least = PGPS_SEVERITY_CRITICAL;
	return true;
}

static bool
is_full(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = pgps_used_pct(&view->now.shown);
	return view->counts && view->now.status != PGPS_EXHAUSTED &&
		found->value >= 0;
}

static bool
callers_wait(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = pgps_get(&view->now.shown, PGPS_WAITING, 0);
	return view->counts && found->value > 0;
}

static bool
waits_long(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	int64		time = pgps_rise(view, PGPS_TREND_WAIT_TIME, w->window_start);
	int64		events;

	if (time <= 0)
		return false;
	events = pgps_rise(view, PGPS_TREND_WAIT_EVENTS, w->window_start);
	if (events <= 0)
		return false;
	found->value = time / 1000.0 / events;
	return true;
}

static bool
times_out(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = pgps_rise(view, PGPS_TREND_TIMEOUTS, w->window_start);
	return found->value > 0;
}

static bool
fails(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = pgps_rise(view, PGPS_TREND_ERRORS, w->window_start);
	return found->value > 0;
}

static bool
leaks(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	int			i = view - w->watch->snapshot->instances;

	found->value = w->leaked[i];
	found->since = w->leaked_since[i];
	return found->value > 0;
}

static bool
is_silent(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	if (!view->counts || view->now.status != PGPS_SILENT)
		return false;
	found->value = seconds_since(w, view->status_since);
	found->since = view->status_since;
	if (view->server.connections >=
		pgps_get(&view->now.shown, PGPS_MAX_SIZE, PG_INT64_MAX))
		found->at_least = PGPS_SEVERITY_CRITICAL;
	return true;
}

static bool
is_over_capacity(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = pgps_over_capacity(view);
	return found->value > 0;
}

static bool
is_unclaimed(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = view->now.unclaimed;
	return found->value > 0;
}

static bool
shares_by_fork(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = 1;
	return view->data->fork_shared && !view->server.via_pooler;
}

static bool
is_shared(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	found->value = 1;
	return view->data->carry.shared;
}

/* Connections that came, ran next to nothing and went */
static bool
does_not_pool(const PoolWatch *w, const PgpsInstanceView *view, Found *found)
{
	int64		ended = pgps_rise(view, PGPS_TREND_ENDED, w->window_start);

	if (view->server.via_pooler || ended <= 0 ||
		pgps_rise(view, PGPS_TREND_XACTS, w->window_start) >= PGPS_POOLED_XACTS * ended)
		return false;
	found->value = ended * (double) USECS_PER_MINUTE /
		Max(w->now - w->window_start, USECS_PER_SEC);
	return true;
}

static bool
idles_in_transaction(const PoolWatch *w, const PgpsInstanceView *view,
					 Found *found)
{
	const PgpsBackend *backend = w->oldest_idle[view - w->watch->snapshot->instances];

	if (backend == NULL)
		return false;
	found->backend = backend;
	found->since = backend->state_change;
	found->value = seconds_since(w, backend->state_change);
	return true;
}

static const Look looks[PGPS_FIRST_LIMIT_RULE] = {
	[PGPS_RULE_POOL_EXHAUSTED] = is_exhausted,
	[PGPS_RULE_POOL_FULL] = is_full,
	[PGPS_RULE_CALLERS_WAITING] = callers_wait,
	[PGPS_RULE_MEAN_WAIT] = waits_long,
	[PGPS_RULE_TIMEOUTS] = times_out,
	[PGPS_RULE_ERRORS_INCREASING] = fails,
	[PGPS_RULE_LEAK] = leaks,
	[PGPS_RULE_SILENT] = is_silent,
	[PGPS_RULE_OVER_CAPACITY] = is_over_capacity,
	[PGPS_RULE_UNCLAIMED] = is_unclaimed,
	[PGPS_RULE_FORK_SHARING] = shares_by_fork,
	[PGPS_RULE_SHARED_INSTANCE] = is_shared,
	[PGPS_RULE_NO_POOLING] = does_not_pool,
	[PGPS_RULE_IDLE_IN_TRANSACTION] = idles_in_transaction
};

/*-------------------------------------------------------------------------
 * In words
 *-------------------------------------------------------------------------
 */

/* A sentence that stands alone in a pager */
static void
say(char *message, const PoolWatch *w, PgpsRule rule, const PgpsLevels *levels,
	const Found *found)
{
	const PgpsPoolView *pool = w->pool;
	const PgpsValues *shown = &found->view->now.shown;
	const char *window = pgps_duration_text(levels->for_time);
	int64		waiting = pgps_get(shown, PGPS_WAITING, 0);
	char		database[NAMEDATALEN];
	StringInfoData text;

	pgps_clean_text(database, sizeof(database), NameStr(pool->data->datname));
	initStringInfo(&text);
	appendStringInfo(&text, "%s on %s: ", pool->data->key.name, database);
	switch (rule)
	{
		case PGPS_RULE_POOL_EXHAUSTED:
			appendStringInfo(&text, "%d of %d instances full (" INT64_FORMAT "/" INT64_FORMAT ") for %s",
							 found->count, pool->live,
							 shown->value[PGPS_CHECKED_OUT],
							 shown->value[PGPS_MAX_SIZE],
							 pgps_duration_text(w->now - found->since));
			if (waiting > 0)
				appendStringInfo(&text, ", " INT64_FORMAT " callers waiting",
								 waiting);
			break;
		case PGPS_RULE_POOL_FULL:
			appendStringInfo(&text, "an instance has lent out " INT64_FORMAT " of " INT64_FORMAT,
							 shown->value[PGPS_CHECKED_OUT],
							 shown->value[PGPS_MAX_SIZE]);
			break;
		case PGPS_RULE_CALLERS_WAITING:
			appendStringInfo(&text, INT64_FORMAT " callers waiting, at %d of %d instances",
							 waiting, found->count, pool->live);
			break;
		case PGPS_RULE_MEAN_WAIT:
			appendStringInfo(&text, "callers waited %.0f ms on average in the last %s",
							 found->value, window);
			break;
		case PGPS_RULE_TIMEOUTS:
			appendStringInfo(&text, "%.0f callers gave up waiting in the last %s",
							 found->value, window);
			break;
		case PGPS_RULE_ERRORS_INCREASING:
			appendStringInfo(&text, "%.0f failed checkouts or connects in the last %s",
							 found->value, window);
			break;
		case PGPS_RULE_LEAK:
			appendStringInfo(&text, "at least %.0f connections lent out and idle on the server",
							 found->value);
			break;
		case PGPS_RULE_SILENT:
			appendStringInfo(&text, "%d of %d instances silent for %s, although it works",
							 found->count, pool->live,
							 pgps_duration_text(w->now - found->since));
			if (found->at_least == PGPS_SEVERITY_CRITICAL)
				appendStringInfo(&text, "; it holds all its %d connections",
								 found->view->server.connections);
			break;
		case PGPS_RULE_OVER_CAPACITY:
			appendStringInfo(&text, "an instance holds %.0f connections more than its maximum of " INT64_FORMAT,
							 found->value, shown->value[PGPS_MAX_SIZE]);
			break;
		case PGPS_RULE_UNCLAIMED:
			appendStringInfo(&text, "%.0f connections that the instance's report does not speak of",
							 found->value);
			break;
		case PGPS_RULE_FORK_SHARING:
			appendStringInfo(&text, "%d of %d instances use the connection of another process",
							 found->count, pool->live);
			break;
		case PGPS_RULE_SHARED_INSTANCE:
			appendStringInfo(&text, "several processes report as instance %s",
							 found->view->data->name);
			break;
		case PGPS_RULE_NO_POOLING:
			appendStringInfo(&text, "%.0f new connections a minute that hardly run anything",
							 found->value);
			break;
		case PGPS_RULE_IDLE_IN_TRANSACTION:
			appendStringInfo(&text, "idle in transaction for %s (pid %d)",
							 pgps_duration_text(w->now - found->since),
							 found->backend->pid);
			break;
		default:
			break;
	}
	strlcpy(message, text.data, PGPS_MESSAGE_LEN);
	pfree(text.data);
}

/*-------------------------------------------------------------------------
 * Looking
 *-------------------------------------------------------------------------
 */

static bool
is_worse(const Found *found, const Found *worst)
{
	if (worst->view == NULL)
		return true;
	if (found->at_least != worst->at_least)
		return found->at_least > worst->at_least;
	return found->value > worst->value;
}

static void
look_at_pool(PoolWatch *w, const PgpsSubject *subject, PgpsRule rule)
{
	const List *overrides = w->watch->overrides[rule];
	PgpsLevels	levels = pgps_levels(rule, subject, overrides);
	Found		worst = {0};
	PgpsCondition *condition;
	int			i;

	if (!levels.enabled)
		return;
	w->window_start = w->now - levels.for_time;
	for (i = 0; i < w->pool->ninstances; i++)
	{
		const PgpsInstanceView *view = w->pool->instances[i];
		Found		found = {0};

		if (!view->live || view->data->other || !looks[rule] (w, view, &found))
			continue;
		found.view = view;
		found.count = worst.count + 1;
		if (is_worse(&found, &worst))
			worst = found;
		else
			worst.count = found.count;
	}
	if (worst.view == NULL)
		return;

	condition = pgps_add_condition(w->watch, rule, subject, worst.value,
								   worst.at_least);
	if (condition == NULL)
		return;
	condition->since = worst.since;
	condition->instance = worst.view->data->name;
	say(condition->message, w, rule, &levels, &worst);
}

/* The backend of each instance that waits in its transaction for longest */
static const PgpsBackend **
find_oldest_idle(const PgpsSnapshot *snapshot)
{
	const PgpsBackend **oldest = palloc0(Max(snapshot->ninstances, 1) *
										 sizeof(PgpsBackend *));
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceView *view = pgps_instance_of(snapshot, backend);
		const PgpsBackend **place;

		if (!backend->idle_in_xact || view == NULL)
			continue;
		place = &oldest[view - snapshot->instances];
		if (*place == NULL || backend->state_change < (*place)->state_change)
			*place = backend;
	}
	return oldest;
}

/* How many connections each instance has leaked, at the least */
static void
find_leaks(PoolWatch *w, const PgpsSnapshot *snapshot)
{
	int			nleaks;
	PgpsLeak   *found = pgps_find_leaks(snapshot, &nleaks);
	int			n = Max(snapshot->ninstances, 1);
	int			i;

	w->leaked = palloc0(n * sizeof(int));
	w->leaked_since = palloc0(n * sizeof(TimestampTz));
	for (i = 0; i < nleaks; i++)
	{
		int			at = found[i].view - snapshot->instances;
		TimestampTz *since = &w->leaked_since[at];

		if (found[i].at_least == 0)
			continue;
		w->leaked[at] += found[i].at_least;
		*since = *since == 0 ? found[i].since : Min(*since, found[i].since);
	}
}

/*
 * All conditions (PgpsCondition) of this moment, in the current memory
 * context.
 */
List *
pgps_find_conditions(const PgpsSnapshot *snapshot, const List *overrides)
{
	PgpsWatch	watch = {0};
	PoolWatch	w = {0};
	PgpsRule	rule;
	int			i;

	watch.snapshot = snapshot;
	for (rule = 0; rule < PGPS_RULES; rule++)
		watch.overrides[rule] = pgps_overrides_of(rule, overrides);

	w.watch = &watch;
	w.now = snapshot->taken_at;
	w.oldest_idle = find_oldest_idle(snapshot);
	find_leaks(&w, snapshot);
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPool *pool = snapshot->pools[i].data;
		PgpsSubject subject = {0};

		if (snapshot->pools[i].live == 0)
			continue;
		subject.scope = PGPS_SCOPE_POOL;
		subject.roleid = pool->key.roleid;
		subject.dbid = pool->key.dbid;
		strlcpy(subject.pool, pool->key.name, sizeof(subject.pool));
		subject.usename = pool->usename;
		subject.datname = pool->datname;
		w.pool = &snapshot->pools[i];
		for (rule = 0; rule < PGPS_FIRST_LIMIT_RULE; rule++)
			look_at_pool(&w, &subject, rule);
	}
	pgps_look_at_limits(&watch);
	return watch.found;
}
