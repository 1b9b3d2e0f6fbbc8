/*-------------------------------------------------------------------------
 *
 * alerts.c
 *	  The function behind the view alerts, and what check_status() must know of
 *	  alerts that have no place there.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "registry/histogram.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_alerts);
PG_FUNCTION_INFO_V1(pgps_get_alerts_left_out);
PG_FUNCTION_INFO_V1(pgps_get_missing_since);

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
	C(message, text, pgps_sentence(alert->message, cause, evaluated_at, pgps_may_see)) \
	C(cause, text, pgps_cause_name(cause->kind)) \
	C(culprit, text, pgps_culprit_text(cause, pgps_may_see)) \
	C(culprit_pid, int4, cause->culprit.pid > 0 ? cause->culprit.pid : -1) \
	C(hint, text, hint ? hint : rule->hint) \
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
	const PgpsCause *cause = &alert->cause;
	const char *hint = pgps_cause_hint(cause);

	PGPS_PUT_ROW(ALERT_COLUMNS);
}

Datum
pgps_get_alerts(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(ALERT_COLUMNS);
	TimestampTz now = GetCurrentTimestamp();
	PgpsSilences *silences = pgps_silences_copy(now);
	PgpsAlerts *alerts = pgps_alerts_copy();
	PgpsAlert	down;
	int			i;

	if (pgps_collector_alert(&down, now))
		put_alert(row, &down, pgps_silenced_until(silences, &down), now);

	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see_alert(alert->subject.scope, alert->subject.roleid))
			put_alert(row, alert, pgps_silenced_until(silences, alert),
					  alerts->evaluated_at);
	}
	return (Datum) 0;
}

/*
 * get_alerts_left_out(pool): how many fire, are not silenced and have no place,
 * of what the caller may see; null for all of them, or only those of a pool
 */
Datum
pgps_get_alerts_left_out(PG_FUNCTION_ARGS)
{
	char	   *pool = PG_ARGISNULL(0) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	PgpsAlerts *alerts;
	int64		count = 0;
	int			i;

	pgps_ensure_loaded();
	alerts = pgps_alerts_copy();
	for (i = 0; i < alerts->nleft_out; i++)
	{
		const PgpsLeftOut *entry = &alerts->left_out[i];
		PgpsScope	scope = entry->subject.scope;

		if (pgps_may_see_alert(scope, entry->subject.roleid) &&
			(pool == NULL ||
			 ((scope == PGPS_SCOPE_POOL || scope == PGPS_SCOPE_POOLER) &&
			  strcmp(pool, entry->subject.name) == 0)))
			count += entry->count;
	}
	PG_RETURN_INT64(count);
}

/* Would the rule no_instance say so, if it had a level? */
static bool
is_missed(const PgpsPoolState *pool, const List *overrides)
{
	int			rule = pgps_find_rule(pgps_rule_no_instance.name);

	return pgps_is_missing(pool) &&
		pgps_levels(rule, pgps_make_pool_subject(pool->data),
					pgps_overrides_of(rule, overrides)).enabled;
}

/*
 * get_missing_since(pool): since when no pool of that name, of those that the
 * caller may see, has a live instance; null if that is all right
 */
Datum
pgps_get_missing_since(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const PgpsSnapshot *snapshot;
	const PgpsPoolState *pool = NULL;
	List	   *overrides;
	TimestampTz since = 0;
	bool		live = false;

	pgps_ensure_loaded();
	overrides = pgps_parse_overrides(pgps_alert_rules);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		if (strcmp(pool->data->key.name, name) != 0)
			continue;
		live |= pool->live > 0;
		if (is_missed(pool, overrides))
			since = Max(since, pool->status_since);
	}
	if (live || since == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(since);
}
