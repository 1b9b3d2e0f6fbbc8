/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  Alerts: findings that lasted, since when, and who was notified.
 *
 * Collector only, which keeps all of them in its own memory: by that it knows
 * how long each has lasted and what was announced, whether it has a place in the
 * table that others read (alert_table.c) or not.  A new collector goes on from
 * that table.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "alerts/alerts.h"
#include "alerts/findings.h"
#include "alerts/incidents.h"
#include "alerts/session_trends.h"
#include "analysis/history.h"
#include "base/settings.h"
#include "base/table.h"
#include "dialects/fields.h"
#include "registry/registry.h"
#include "registry/status.h"

/* where an alert is found */
typedef struct Place
{
	PgpsAlertKey key;
	int			i;
} Place;

/* of the collector's last pass */
static PgpsAlerts *known = NULL;
static MemoryContext known_context = NULL;

/*-------------------------------------------------------------------------
 * From findings to alerts
 *-------------------------------------------------------------------------
 */

static HTAB *
make_places(int expected)
{
	return pgps_make_table("pgpool_stats places", expected,
						   sizeof(PgpsAlertKey), sizeof(Place));
}

void
pgps_alert_key(PgpsAlertKey *key, int rule, const PgpsSubject *subject)
{
	key->rule = rule;
	pgps_subject_key(&key->subject, subject);
}

static Place *
find_place(HTAB *places, int rule, const PgpsSubject *subject,
		   HASHACTION action, bool *found)
{
	PgpsAlertKey key;

	pgps_alert_key(&key, rule, subject);
	return hash_search(places, &key, action, found);
}

static HTAB *
index_alerts(const PgpsAlerts *alerts)
{
	HTAB	   *places = make_places(alerts->count);
	int			i;

	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		find_place(places, alert->rule, &alert->subject, HASH_ENTER, NULL)->i = i;
	}
	return places;
}

static bool
reaches(double value, double level)
{
	return level >= 0 && value >= level;
}

/*
 * How severe a value is.  An alert that fires lasts until its value is below
 * the clear level, and a critical one stays critical until it is below the
 * warning: a value that swings around a level shall not raise and clear it
 * again and again.
 */
static PgpsSeverity
severity_of(const PgpsFinding *found, const PgpsAlert *before)
{
	const PgpsLevels *levels = &found->levels;
	double		value = found->value;
	PgpsSeverity was = before && before->firing ? before->severity :
		PGPS_SEVERITY_NONE;
	PgpsSeverity severity = PGPS_SEVERITY_NONE;

	if ((reaches(value, levels->critical) && !found->not_critical) ||
		(was == PGPS_SEVERITY_CRITICAL && reaches(value, levels->warning)))
		severity = PGPS_SEVERITY_CRITICAL;
	else if (reaches(value, levels->warning) ||
			 (was != PGPS_SEVERITY_NONE && reaches(value, levels->clear)))
		severity = PGPS_SEVERITY_WARNING;
	return Max(severity, found->at_least);
}

/* Returns false if it is no alert. */
static bool
make_alert(PgpsAlert *alert, const PgpsFinding *found,
		   const PgpsAlert *before, TimestampTz now)
{
	const PgpsLevels *levels = &found->levels;
	PgpsSeverity severity = severity_of(found, before);

	if (severity == PGPS_SEVERITY_NONE)
		return false;
	memset(alert, 0, sizeof(PgpsAlert));
	alert->rule = found->rule;
	alert->subject = *found->subject;
	alert->severity = severity;
	alert->since = before ? Min(before->since, now) : now;
	if (found->since != 0)
		alert->since = Min(alert->since, found->since);
	alert->firing = (before && before->firing) ||
		pgps_rules[found->rule]->windowed ||
		now - alert->since >= levels->for_time;
	alert->announced = before ? before->announced : PGPS_SEVERITY_NONE;
	alert->value = found->value;
	alert->threshold = levels->warning;
	if (levels->warning < 0 ||
		(severity == PGPS_SEVERITY_CRITICAL &&
		 reaches(found->value, levels->critical)))
		alert->threshold = levels->critical;
	if (found->state != NULL)
	{
		const PgpsValues *sum = &found->state->pool->sum;

		strlcpy(alert->instance, found->state->data->name,
				sizeof(alert->instance));
		alert->waiting = pgps_get(sum, PGPS_WAITING, 0);
		alert->held = pgps_get(sum, PGPS_CHECKED_OUT, 0);
	}
	strlcpy(alert->message, found->message, sizeof(alert->message));
	return true;
}

/* Worst first, what fires before what may come, oldest first */
static int
compare_alerts(const void *a, const void *b)
{
	const PgpsAlert *x = a;
	const PgpsAlert *y = b;

	if (x->firing != y->firing)
		return x->firing ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule - y->rule;

	/* so that the same ones keep their places */
	return memcmp(&x->subject, &y->subject, sizeof(PgpsSubject));
}

/* Not one of its connections, but all of it */
static void
describe_instance(PgpsParty *party, const PgpsInstanceState *state)
{
	party->roleid = state->pool->data->key.roleid;
	strlcpy(party->pool, state->pool->data->key.name, sizeof(party->pool));
	strlcpy(party->instance, state->data->name, sizeof(party->instance));
}

/* The cause that the rule itself says */
static const PgpsCause *
implied_cause(const PgpsFinding *found, const PgpsSnapshot *snapshot)
{
	PgpsCause  *causes = palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
	PgpsCause  *cause = &causes[found->implied];

	cause->kind = found->implied;
	cause->count = 1;
	cause->said = true;
	if (found->backend != NULL)
		pgps_describe_backend(&cause->culprit, found->backend, snapshot);
	else if (found->state != NULL)
		describe_instance(&cause->culprit, found->state);
	if (found->with != NULL)
		describe_instance(&cause->between, found->with);
	return causes;
}

/*
 * What holds up the connections of the instances that it is about.  A rule that
 * looks back goes on when all is well again: what they do then is not why.
 */
static const PgpsCause *
causes_of_instances(const PgpsFinding *found, PgpsHeld *held)
{
	const PgpsInstanceState **states = palloc(found->count * sizeof(*states));
	int			n = 0;
	int			i;

	for (i = 0; i < found->count; i++)
	{
		const PgpsInstanceState *state = found->states[i];

		if (pgps_rules[found->rule]->trends != 0 &&
			state->now.status == PGPS_OK)
			continue;
		states[n++] = state;

		/* the worst one comes first */
		if (state == found->state)
		{
			states[n - 1] = states[0];
			states[0] = state;
		}
	}
	return n > 0 ? pgps_find_causes(held, states, n) :
		palloc0(PGPS_NCAUSES * sizeof(PgpsCause));
}

/* What holds its connections up, or who holds those of its limit */
static void
explain(PgpsAlert *alert, const PgpsSnapshot *snapshot, PgpsHeld **held,
		uint8 *of_pools, const PgpsFinding *found)
{
	const PgpsRule *rule = pgps_rules[found->rule];
	const PgpsCause *causes = NULL;

	if (found->implied != PGPS_CAUSE_NONE)
		causes = implied_cause(found, snapshot);
	else if (rule->explained && found->state != NULL)
	{
		if (*held == NULL)
			*held = pgps_find_held(snapshot);
		causes = causes_of_instances(found, *held);
	}
	else if (rule->explained_outside)
		causes = pgps_find_outside(NULL, found->state,
								   pgps_found_sum(found, PGPS_WAITING), snapshot);
	else if (rule->explained && found->usable > 0)
		causes = pgps_find_holders(found->subject,
								   rule == &pgps_rule_over_committed, snapshot);
	if (causes == NULL)
		return;
	pgps_note_causes(alert, causes, snapshot->taken_at);
	if (found->state != NULL && alert->cause.seen_at == snapshot->taken_at)
		of_pools[found->state->data->pool] = alert->cause.kind;
}

/*
 * What is found now, in the current memory context; *cleared says which of
 * those before are over.
 */
static PgpsAlerts *
make_alerts(const PgpsSnapshot *snapshot, const List *findings,
			const PgpsAlerts *before, bool **cleared)
{
	TimestampTz now = snapshot->taken_at;
	PgpsAlerts *alerts = palloc0(sizeof(PgpsAlerts));
	HTAB	   *places = index_alerts(before);
	PgpsHeld   *held = NULL;
	uint8	   *of_pools = palloc0(snapshot->max_pool + 1);
	const ListCell *lc;

	*cleared = palloc(before->count + 1);
	memset(*cleared, true, before->count);
	alerts->evaluated_at = now;
	alerts->alerts = palloc_extended((list_length(findings) + 1) *
									 sizeof(PgpsAlert), MCXT_ALLOC_HUGE);
	foreach(lc, findings)
	{
		const PgpsFinding *found = lfirst(lc);
		const Place *place = find_place(places, found->rule, found->subject,
										HASH_FIND, NULL);

		if (!make_alert(&alerts->alerts[alerts->count], found,
						place ? &before->alerts[place->i] : NULL, now))
			continue;
		explain(&alerts->alerts[alerts->count++], snapshot, &held, of_pools,
				found);
		if (place != NULL)
			(*cleared)[place->i] = false;
	}
	pgps_forget_causes(now);
	pgps_history_note_causes(snapshot, of_pools);
	qsort(alerts->alerts, alerts->count, sizeof(PgpsAlert), compare_alerts);
	return alerts;
}

static bool *
find_silenced(const PgpsAlerts *alerts, const PgpsSilences *silences)
{
	bool	   *silenced = palloc(alerts->count + 1);
	int			i;

	for (i = 0; i < alerts->count; i++)
		silenced[i] = pgps_silenced_until(silences, &alerts->alerts[i]) != 0;
	return silenced;
}

/* A bad entry of alert_rules is said once, when it is new. */
static void
log_bad_overrides(const List *overrides)
{
	static char *logged = NULL;
	const ListCell *lc;

	if (logged != NULL && strcmp(logged, pgps_alert_rules) == 0)
		return;
	if (logged != NULL)
		pfree(logged);
	logged = MemoryContextStrdup(TopMemoryContext, pgps_alert_rules);
	foreach(lc, overrides)
	{
		const PgpsOverride *entry = lfirst(lc);

		if (entry->error != NULL)
			ereport(LOG,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("entry \"%s\" of pgpool_stats.alert_rules has no effect",
							entry->text),
					 errdetail("%s.", entry->error)));
	}
}

/* One more look at everything */
void
pgps_alerts_evaluate(const PgpsSnapshot *snapshot)
{
	TimestampTz now = snapshot->taken_at;
	List	   *overrides = pgps_parse_overrides(pgps_alert_rules);
	MemoryContext context = AllocSetContextCreate(TopMemoryContext,
												  "pgpool_stats alerts",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	PgpsSilences *silences = pgps_silences_copy(now);
	PgpsAlerts *before = known ? known : pgps_alerts_copy();
	PgpsAlerts *alerts;
	List	   *findings;
	bool	   *cleared,
			   *silenced;
	List	   *events;

	log_bad_overrides(overrides);
	pgps_trends_note(snapshot, overrides);
	pgps_session_trends_note(snapshot, overrides);
	findings = pgps_find_all(snapshot, overrides);

	old = MemoryContextSwitchTo(context);
	alerts = make_alerts(snapshot, findings, before, &cleared);
	silenced = find_silenced(alerts, silences);
	MemoryContextSwitchTo(old);

	events = pgps_announce(alerts, before, cleared, silenced, silences);
	pgps_incidents_note(alerts);
	pgps_alerts_publish(alerts, silenced);
	pgps_send_events(events, now);

	if (known_context != NULL)
		MemoryContextDelete(known_context);
	known = alerts;
	known_context = context;
}
