/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  Alerts: findings that lasted, since when, and who was notified.
 *
 * The collector alone writes the table in shared memory; PGPS_ALERTS_LOCK
 * keeps readers from seeing it half written.  When there are more alerts than
 * places, the least severe are left out.  The table begins empty when the
 * server starts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/session_trends.h"
#include "base/settings.h"
#include "base/shmem.h"

typedef struct Table
{
	TimestampTz evaluated_at;
	int			count;
	PgpsAlert	alerts[PGPS_MAX_ALERTS];
} Table;

PGPS_SHARED_PART(alerts, Table, shared)

/* What is there now, in the current memory context */
PgpsAlerts *
pgps_alerts_copy(void)
{
	PgpsAlerts *copy = palloc(sizeof(PgpsAlerts));

	copy->alerts = palloc(PGPS_MAX_ALERTS * sizeof(PgpsAlert));
	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	copy->evaluated_at = shared->evaluated_at;
	copy->count = shared->count;
	memcpy(copy->alerts, shared->alerts, copy->count * sizeof(PgpsAlert));
	pgps_release(PGPS_ALERTS_LOCK);
	return copy;
}

/*-------------------------------------------------------------------------
 * From findings to alerts
 *-------------------------------------------------------------------------
 */

static bool
is_about(const PgpsAlert *alert, int rule, const PgpsSubject *subject)
{
	const PgpsSubject *other = &alert->subject;

	if (alert->rule != rule || other->scope != subject->scope)
		return false;
	if (subject->scope == PGPS_SCOPE_POOL)
		return other->roleid == subject->roleid &&
			other->dbid == subject->dbid &&
			strcmp(other->pool, subject->pool) == 0;
	return memcmp(other, subject, sizeof(PgpsSubject)) == 0;
}

/* NULL if there is none */
static PgpsAlert *
find_alert(const PgpsAlerts *alerts, int rule, const PgpsSubject *subject)
{
	int			i;

	for (i = 0; i < alerts->count; i++)
	{
		if (is_about(&alerts->alerts[i], rule, subject))
			return &alerts->alerts[i];
	}
	return NULL;
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

	if (reaches(value, levels->critical) ||
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
		strlcpy(alert->instance, found->state->data->name,
				sizeof(alert->instance));
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
	return (int) x->rule - (int) y->rule;
}

/*-------------------------------------------------------------------------
 * Notifying
 *-------------------------------------------------------------------------
 */

static void
append_field(StringInfo line, const char *field, const char *value)
{
	char		clean[PGPS_MESSAGE_LEN];

	pgps_clean_text(clean, sizeof(clean), value);
	appendStringInfo(line, " %s=", field);
	escape_json(line, clean);
}

/*
 * One line with the same fields in the same order, always.  What clears has no
 * value any more: the last one was over the threshold.
 */
static void
log_alert(const PgpsAlert *alert, bool cleared)
{
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line, "severity=%s rule=%s",
					 pgps_severity_name(alert->severity),
					 pgps_rules[alert->rule]->name);
	append_field(&line, "pool", alert->subject.pool);
	append_field(&line, "datname", NameStr(alert->subject.datname));
	append_field(&line, "usename", NameStr(alert->subject.usename));
	append_field(&line, "instance", alert->instance);
	if (!cleared)
		appendStringInfo(&line, " value=%g threshold=%g", alert->value,
						 alert->threshold);
	append_field(&line, "message", alert->message);
	ereport(LOG,
			(errmsg_internal("pgpool_stats alert %s: %s",
							 cleared ? "cleared" : "raised", line.data),
			 errhidestmt(true)));
	pfree(line.data);
}

static void
announce(const PgpsAlert *alert, bool cleared, TimestampTz now)
{
	if (pgps_log_alerts)
		log_alert(alert, cleared);
	pgps_queue_event(alert, cleared, now);
}

/* Say what has changed, unless it is silenced. */
static void
announce_changes(PgpsAlerts *alerts, const PgpsAlerts *before, TimestampTz now)
{
	PgpsSilence *silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	int			n = pgps_silences_copy(silences, now);
	int			i;

	for (i = 0; i < before->count; i++)
	{
		const PgpsAlert *alert = &before->alerts[i];

		if (alert->announced != PGPS_SEVERITY_NONE &&
			find_alert(alerts, alert->rule, &alert->subject) == NULL &&
			pgps_silenced_until(silences, n, alert) == 0)
			announce(alert, true, now);
	}
	for (i = 0; i < alerts->count; i++)
	{
		PgpsAlert  *alert = &alerts->alerts[i];

		if (!alert->firing ||
			pgps_silenced_until(silences, n, alert) != 0)
			continue;
		if (alert->severity > alert->announced)
			announce(alert, false, now);
		alert->announced = alert->severity;
	}
	pfree(silences);
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
	PgpsAlerts *before = pgps_alerts_copy();
	PgpsAlerts	alerts = {0};
	List	   *findings;
	ListCell   *lc;

	log_bad_overrides(overrides);
	pgps_trends_note(snapshot, overrides);
	pgps_session_trends_note(snapshot, overrides);
	findings = pgps_find_all(snapshot, overrides);
	alerts.alerts = palloc_extended((list_length(findings) + 1) *
									sizeof(PgpsAlert), MCXT_ALLOC_HUGE);
	foreach(lc, findings)
	{
		const PgpsFinding *found = lfirst(lc);

		if (make_alert(&alerts.alerts[alerts.count], found,
					   find_alert(before, found->rule, found->subject),
					   now))
			alerts.count++;
	}
	qsort(alerts.alerts, alerts.count, sizeof(PgpsAlert), compare_alerts);
	alerts.count = Min(alerts.count, PGPS_MAX_ALERTS);
	announce_changes(&alerts, before, now);

	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	shared->evaluated_at = now;
	shared->count = alerts.count;
	memcpy(shared->alerts, alerts.alerts, alerts.count * sizeof(PgpsAlert));
	pgps_release(PGPS_ALERTS_LOCK);
	pgps_send_events(now);
}
