/*-------------------------------------------------------------------------
 *
 * announce.c
 *	  Saying that alerts were raised or cleared: in the log and by NOTIFY.
 *
 * Collector only.  All alerts are announced, also those that have no place in
 * the table that others read.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/json.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/settings.h"
#include "base/text.h"

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
log_alert(const PgpsAlert *alert, bool cleared, TimestampTz now)
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
	append_field(&line, "message",
				 pgps_sentence(alert->message, &alert->cause, now, NULL));
	ereport(LOG,
			(errmsg_internal("pgpool_stats alert %s: %s",
							 cleared ? "cleared" : "raised", line.data),
			 errhidestmt(true)));
	pfree(line.data);
}

/* Returns the events with one more. */
static List *
announce(List *events, const PgpsAlert *alert, bool cleared, TimestampTz now)
{
	PgpsEvent  *event = palloc(sizeof(PgpsEvent));

	CHECK_FOR_INTERRUPTS();
	if (pgps_log_alerts)
		log_alert(alert, cleared, now);
	event->alert = alert;
	event->cleared = cleared;
	return lappend(events, event);
}

/*
 * Say what has changed, unless it is silenced, and note what was said.
 * "cleared" is by the alerts before, "silenced" by those of now.  Returns the
 * events (PgpsEvent).
 */
List *
pgps_announce(PgpsAlerts *alerts, const PgpsAlerts *before,
			  const bool *cleared, const bool *silenced,
			  const PgpsSilences *silences)
{
	List	   *events = NIL;
	int			i;

	for (i = 0; i < before->count; i++)
	{
		const PgpsAlert *alert = &before->alerts[i];

		if (cleared[i] && alert->announced != PGPS_SEVERITY_NONE &&
			pgps_silenced_until(silences, alert) == 0)
			events = announce(events, alert, true, before->evaluated_at);
	}
	for (i = 0; i < alerts->count; i++)
	{
		PgpsAlert  *alert = &alerts->alerts[i];

		if (!alert->firing || silenced[i])
			continue;
		if (alert->severity > alert->announced)
			events = announce(events, alert, false, alerts->evaluated_at);
		alert->announced = alert->severity;
	}
	return events;
}
