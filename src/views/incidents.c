/*-------------------------------------------------------------------------
 *
 * incidents.c
 *	  The function behind the view incidents.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "alerts/cause.h"
#include "alerts/incidents.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_incidents);

#define INCIDENT_COLUMNS(C) \
	C(id, int8, incident->id) \
	C(severity, text, pgps_severity_name(incident->severity)) \
	C(rule, text, incident->rule) \
	C(pool, text, incident->subject.pool) \
	C(datname, name, NameStr(incident->subject.datname)) \
	C(usename, name, NameStr(incident->subject.usename)) \
	C(instance, text, incident->instance) \
	C(began, time, incident->began) \
	C(ended, time, incident->ended) \
	C(times, int4, incident->times) \
	C(worst, float8, incident->worst) \
	C(unit, text, rule ? rule->unit : NULL) \
	C(message, text, pgps_sentence(incident->message, cause, incident->message_at, pgps_may_see)) \
	C(cause, text, pgps_cause_name(cause->kind)) \
	C(culprit, text, pgps_culprit_text(cause, pgps_may_see)) \
	C(culprit_pid, int4, cause->culprit.pid > 0 ? cause->culprit.pid : -1) \
	C(hint, text, hint ? hint : rule ? rule->hint : NULL)

static void
put_incident(PgpsRow *row, const PgpsIncident *incident)
{
	int			number = pgps_find_rule(incident->rule);
	const PgpsRule *rule = number < 0 ? NULL : pgps_rules[number];
	const PgpsCause *cause = &incident->cause;
	const char *hint = pgps_cause_hint(cause);

	PGPS_PUT_ROW(INCIDENT_COLUMNS);
}

/* What fires first, then the newest */
static int
compare_incidents(const void *a, const void *b)
{
	const PgpsIncident *x = a;
	const PgpsIncident *y = b;

	if ((x->ended == 0) != (y->ended == 0))
		return x->ended == 0 ? -1 : 1;
	if (x->began != y->began)
		return x->began > y->began ? -1 : 1;
	return x->id > y->id ? -1 : 1;
}

Datum
pgps_get_incidents(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(INCIDENT_COLUMNS);
	PgpsIncidents *incidents = pgps_incidents_copy();
	int			i;

	qsort(incidents->incidents, incidents->count, sizeof(PgpsIncident),
		  compare_incidents);
	for (i = 0; i < incidents->count; i++)
	{
		const PgpsIncident *incident = &incidents->incidents[i];

		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see_alert(incident->subject.scope,
							   incident->subject.roleid))
			put_incident(row, incident);
	}
	return (Datum) 0;
}
