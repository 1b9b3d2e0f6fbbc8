/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  The function behind the view alerts.
 *
 * Alerts of pools are seen by those who see the pool, those of poolers by
 * those who see all; those of limits by everybody, as their numbers are.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/silences.h"
#include "base/settings.h"
#include "base/shmem.h"
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

static const PgpsColumn alert_columns[] = {ALERT_COLUMNS(PGPS_COLUMN)};

static void
put_alert(PgpsRow *row, const PgpsAlert *alert, TimestampTz silenced_until,
		  TimestampTz evaluated_at)
{
	const PgpsRule *rule = pgps_rules[alert->rule];

	ALERT_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

static bool
may_see_alert(const PgpsSubject *subject, bool sees_all)
{
	switch (subject->scope)
	{
		case PGPS_SCOPE_POOL:
			return pgps_may_see(subject->roleid, sees_all);
		case PGPS_SCOPE_POOLER:
			return sees_all;
		default:
			return true;
	}
}

Datum
pgps_get_alerts(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	PgpsSilence *silences;
	PgpsAlerts *alerts;
	PgpsAlert	down;
	PgpsRow		row;
	bool		sees_all;
	int			nsilences;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, alert_columns, lengthof(alert_columns));
	silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	nsilences = pgps_silences_copy(silences, now);
	if (pgps_collector_alert(&down, now))
		put_alert(&row, &down,
				  pgps_silenced_until(silences, nsilences, down.rule,
									  &down.subject), now);

	sees_all = pgps_sees_all();
	alerts = pgps_alerts_copy();
	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		if (may_see_alert(&alert->subject, sees_all))
			put_alert(&row, alert,
					  pgps_silenced_until(silences, nsilences, alert->rule,
										  &alert->subject),
					  alerts->evaluated_at);
	}
	return (Datum) 0;
}
