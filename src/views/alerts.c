/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  The function behind the view alerts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "base/settings.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_alerts);

#define ALERT_COLUMNS(C) \
	C(severity, text, pgps_severity_name(alert->severity)) \
	C(severity_code, int4, alert->severity) \
	C(rule, text, rule->name) \
	C(state, text, alert->firing ? "firing" : "pending") \
	C(pool, text, alert->subject.pool) \
	C(datname, name, NameStr(alert->subject.datname)) \
	C(usename, name, NameStr(alert->subject.usename)) \
	C(instance, text, alert->instance) \
	C(since, time, alert->since) \
	C(message, text, alert->message) \
	C(hint, text, rule->hint) \
	C(value, float8, alert->value) \
	C(threshold, float8, alert->threshold) \
	C(unit, text, rule->unit) \
	C(silenced_until, time, silenced_until) \
	C(evaluated_at, time, evaluated_at)

static void
put_alert(PgpsRow *row, const PgpsAlert *alert, TimestampTz silenced_until,
		  TimestampTz evaluated_at)
{
	const PgpsRule *rule = pgps_rules[alert->rule];

	PGPS_PUT_ROW(ALERT_COLUMNS);
}

Datum
pgps_get_alerts(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(ALERT_COLUMNS);
	TimestampTz now = GetCurrentTimestamp();
	PgpsSilence *silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	int			nsilences = pgps_silences_copy(silences, now);
	PgpsAlerts *alerts = pgps_alerts_copy();
	PgpsAlert	down;
	int			i;

	if (pgps_collector_alert(&down, now))
		put_alert(row, &down, pgps_silenced_until(silences, nsilences, &down),
				  now);

	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see_alert(&alert->subject))
			put_alert(row, alert,
					  pgps_silenced_until(silences, nsilences, alert),
					  alerts->evaluated_at);
	}
	return (Datum) 0;
}
