/*-------------------------------------------------------------------------
 *
 * pool_rules.c
 *	  Alert rules about what pools report.
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

#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "analysis/stops.h"
#include "dialects/fields.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/status.h"

static bool
is_exhausted(const PgpsLook *look, const PgpsInstanceState *state,
			 PgpsFinding *found)
{
	if (!state->counts || state->now.status != PGPS_EXHAUSTED)
		return false;
	found->value = pgps_seconds_since(look, state->status_since);
	found->since = state->status_since;
	if (pgps_get(&state->now.shown, PGPS_WAITING, 0) > 0 ||
		pgps_rise(state, PGPS_TIMEOUTS, look->window_start) > 0 ||
		(state->now.ghosts > 0 &&
		 pgps_rise(state, PGPS_ERRORS, look->window_start) > 0))
		found->at_least = PGPS_SEVERITY_CRITICAL;

	/* full for long, and nobody is known to wait: it may be all right */
	found->not_critical = state->server.last_end > state->status_since;
	return true;
}

static void
say_exhausted(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	int64		waiting = pgps_found_sum(found, PGPS_WAITING);

	appendStringInfo(text, "%d of %s full (" INT64_FORMAT "/" INT64_FORMAT ") for %s",
					 found->count, pgps_count_text(look->pool->live, "instance"),
					 pgps_found_sum(found, PGPS_CHECKED_OUT),
					 pgps_found_sum(found, PGPS_MAX_SIZE),
					 pgps_duration_text(look->now - found->since));
	if (waiting > 0)
		appendStringInfo(text, ", %s", pgps_waiting_text(look, found, waiting));
}

const PgpsRule pgps_rule_pool_exhausted = {
	.name = "pool_exhausted",
	.unit = "s",
	.levels = {true, 0, 300, PGPS_NO_LEVEL, 10 * USECS_PER_SEC},
	.trends = PGPS_TREND(PGPS_TIMEOUTS) | PGPS_TREND(PGPS_ERRORS),
	.description = "An instance has lent out all it may, and callers wait or it cannot tell; critical at once when callers wait or time out, else only if none of its connections has ended a transaction since",
	.hint = "See what its connections do in the view connections, and leaks; more instances or a larger pool only if the server has room.",
	.status = PGPS_EXHAUSTED,
	.explained = true,
	.look_at_instance = is_exhausted,
	.say = say_exhausted
};

static bool
is_full(const PgpsLook *look, const PgpsInstanceState *state, PgpsFinding *found)
{
	const PgpsValues *shown = &state->now.shown;

	found->value = pgps_used_pct(shown);
	return state->counts && state->now.status != PGPS_EXHAUSTED &&
		found->value >= 0 &&
		(shown->value[PGPS_MAX_SIZE] > 1 || pgps_known(shown, PGPS_WAITING));
}

static void
say_full(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	if (found->count == 1)
		appendStringInfoString(text, "an instance has");
	else
		appendStringInfo(text, "%d of %s have", found->count,
						 pgps_count_text(look->pool->live, "instance"));
	appendStringInfo(text, " lent out " INT64_FORMAT " of " INT64_FORMAT,
					 pgps_found_sum(found, PGPS_CHECKED_OUT),
					 pgps_found_sum(found, PGPS_MAX_SIZE));
}

const PgpsRule pgps_rule_pool_full = {
	.name = "pool_full",
	.unit = "percent",
	.levels = {true, 100, PGPS_NO_LEVEL, 90, 5 * USECS_PER_MINUTE},
	.description = "An instance has lent out this share of its maximum, nobody waits yet",
	.hint = "Watch waiting and mean_wait_time; raise pool_size if callers begin to wait.",
	.status = PGPS_FULL,
	.explained = true,
	.look_at_instance = is_full,
	.say = say_full
};

static bool
callers_wait(const PgpsLook *look, const PgpsInstanceState *state,
			 PgpsFinding *found)
{
	found->value = pgps_get(&state->now.shown, PGPS_WAITING, 0);
	return state->counts && state->now.status != PGPS_STALLED &&
		found->value > 0;
}

static void
say_callers(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "%s, at %d of %s",
					 pgps_waiting_text(look, found, found->total), found->count,
					 pgps_count_text(look->pool->live, "instance"));
}

const PgpsRule pgps_rule_callers_waiting = {
	.name = "callers_waiting",
	.unit = "callers",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 2 * USECS_PER_MINUTE},
	.description = "Callers queue for a connection of an instance",
	.hint = "Look for long transactions in the view connections; compare sizing.",
	.status = PGPS_WAITING_STATUS,
	.explained = true,
	.look_at_instance = callers_wait,
	.say = say_callers
};

static bool
waits_long(const PgpsLook *look, const PgpsInstanceState *state,
		   PgpsFinding *found)
{
	int64		time = pgps_rise(state, PGPS_TOTAL_WAIT_TIME,
								 look->window_start);
	int64		events;

	if (time <= 0)
		return false;
	events = pgps_rise(state, PGPS_WAIT_EVENTS, look->window_start);
	if (events <= 0)
		return false;
	found->value = time / 1000.0 / events;
	return true;
}

const PgpsRule pgps_rule_mean_wait = {
	.name = "mean_wait",
	.unit = "ms",
	.windowed = true,
	.levels = {true, 500, 5000, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.trends = PGPS_TREND(PGPS_TOTAL_WAIT_TIME) | PGPS_TREND(PGPS_WAIT_EVENTS),
	.description = "Mean time that callers of an instance waited within for_time",
	.hint = "Look for long transactions in the view connections; compare sizing.",
	.explained = true,
	.look_at_instance = waits_long,
	.sentence = "callers waited %.0f ms on average in the last %s"
};

static bool
times_out(const PgpsLook *look, const PgpsInstanceState *state,
		  PgpsFinding *found)
{
	found->value = pgps_rise(state, PGPS_TIMEOUTS, look->window_start);
	return found->value > 0;
}

const PgpsRule pgps_rule_timeouts = {
	.name = "timeouts",
	.unit = "timeouts",
	.windowed = true,
	.levels = {true, 1, 10, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.trends = PGPS_TREND(PGPS_TIMEOUTS),
	.description = "Callers of an instance gave up within for_time",
	.hint = "These were failed requests: see what held the connections in history and connections.",
	.explained = true,
	.look_at_instance = times_out,
	.sentence = "%.0f callers gave up waiting in the last %s",
	.sentence_of_one = "%.0f caller gave up waiting in the last %s",
	.adds_up = true
};

static bool
fails(const PgpsLook *look, const PgpsInstanceState *state, PgpsFinding *found)
{
	found->value = pgps_rise(state, PGPS_ERRORS, look->window_start);
	return found->value > 0;
}

const PgpsRule pgps_rule_errors_increasing = {
	.name = "errors_increasing",
	.unit = "errors",
	.windowed = true,
	.levels = {true, 5, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.trends = PGPS_TREND(PGPS_ERRORS),
	.description = "Failed checkouts and connects of an instance within for_time",
	.hint = "See rejections, and the log of the application.",
	.explained_outside = true,
	.look_at_instance = fails,
	.sentence = "%.0f failed checkouts or connects in the last %s",
	.sentence_of_one = "%.0f failed checkout or connect in the last %s",
	.adds_up = true
};

static bool
is_silent(const PgpsLook *look, const PgpsInstanceState *state,
		  PgpsFinding *found)
{
	if (!state->counts || state->now.status != PGPS_SILENT)
		return false;
	found->value = pgps_seconds_since(look, state->status_since);
	found->since = state->status_since;
	if (state->server.connections >=
		pgps_get(&state->now.shown, PGPS_MAX_SIZE, PG_INT64_MAX))
		found->at_least = PGPS_SEVERITY_CRITICAL;
	return found->at_least == PGPS_SEVERITY_CRITICAL ||
		!pgps_is_stopped(look->prepared, state);
}

static void *
find_stop(const PgpsSnapshot *snapshot)
{
	PgpsStop   *stop = palloc(sizeof(PgpsStop));

	*stop = pgps_find_stop(snapshot);
	return stop;
}

/* Most reports stopped at once: that is one alert. */
static void
look_for_stop(PgpsLook *look)
{
	const PgpsStop *stop = look->prepared;
	PgpsFinding found = {0};

	if (stop->late == 0)
		return;
	found.subject = pgps_make_subject(PGPS_SCOPE_SERVER, NULL);
	found.since = stop->from;
	found.value = pgps_seconds_since(look, stop->from);
	pgps_add_finding(look, &found);
}

static void
say_silent(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	if (found->state == NULL)
	{
		const PgpsStop *stop = look->prepared;

		appendStringInfo(text, "reports stopped at %d of %s", stop->late,
						 pgps_count_text(stop->of, "instance"));
		return;
	}
	appendStringInfo(text, "%d of %s silent for %s%s", found->count,
					 pgps_count_text(look->pool->live, "instance"),
					 pgps_duration_text(look->now - found->since),
					 found->state->data->labelled ? ", although it works" :
					 "; no connection here has had its label");
	if (found->at_least == PGPS_SEVERITY_CRITICAL)
		appendStringInfo(text, "; it holds %s%s",
						 found->state->server.connections == 1 ? "its " : "all its ",
						 pgps_count_text(found->state->server.connections,
										 "connection"));
}

const PgpsRule pgps_rule_silent = {
	.name = "silent",
	.unit = "s",
	.levels = {true, 0, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "The report of an instance is late although it works, or nothing else is seen of it; critical when it holds its maximum. One alert when most reports stop within stale_after",
	.hint = "It may be exhausted and unable to report: see its log, and connections.",
	.status = PGPS_SILENT,
	.prepare = find_stop,
	.look_at_instance = is_silent,
	.look = look_for_stop,
	.say = say_silent
};

static bool
is_over_capacity(const PgpsLook *look, const PgpsInstanceState *state,
				 PgpsFinding *found)
{
	found->value = pgps_over_capacity(state);
	return found->value > 0;
}

static void
say_over_capacity(StringInfo text, const PgpsLook *look,
				  const PgpsFinding *found)
{
	appendStringInfo(text, "an instance holds %s more than its maximum of " INT64_FORMAT,
					 pgps_count_text(found->value, "connection"),
					 found->state->now.shown.value[PGPS_MAX_SIZE]);
}

const PgpsRule pgps_rule_over_capacity = {
	.name = "over_capacity",
	.unit = "connections",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, USECS_PER_MINUTE},
	.description = "Connections that an instance holds beyond its maximum",
	.hint = "Several pools under one label, or connections made beside the pool.",
	.look_at_instance = is_over_capacity,
	.say = say_over_capacity
};

static bool
is_unclaimed(const PgpsLook *look, const PgpsInstanceState *state,
			 PgpsFinding *found)
{
	found->value = state->now.unclaimed;
	return found->value > 0;
}

const PgpsRule pgps_rule_unclaimed = {
	.name = "unclaimed",
	.unit = "connections",
	.levels = {true, 2, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 10 * USECS_PER_MINUTE},
	.description = "Connections of an instance that its report does not speak of",
	.hint = "Another pool under the same label, or connections that the pool has lost.",
	.look_at_instance = is_unclaimed,
	.sentence = "%.0f connections that the instance's report does not speak of",
	.sentence_of_one = "%.0f connection that the instance's report does not speak of"
};
