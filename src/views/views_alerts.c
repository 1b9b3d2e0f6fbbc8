/*-------------------------------------------------------------------------
 *
 * views_alerts.c
 *	  The functions behind the views alerts, rules and silences; silence() and
 *	  unsilence().
 *
 * Privileges, arguments and Datums only, as in views.c.  Alerts of pools are
 * seen by those who see the pool, those of poolers by those who see all; those
 * of limits by everybody, as their numbers are.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/silences.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_alerts);
PG_FUNCTION_INFO_V1(pgps_get_rules);
PG_FUNCTION_INFO_V1(pgps_get_silences);
PG_FUNCTION_INFO_V1(pgps_silence);
PG_FUNCTION_INFO_V1(pgps_unsilence);

/*-------------------------------------------------------------------------
 * alerts
 *-------------------------------------------------------------------------
 */

static void
put_alert(PgpsRow *row, const PgpsAlert *alert, TimestampTz silenced_until,
		  TimestampTz evaluated_at)
{
	const PgpsRule *rule = pgps_rules[alert->rule];

	pgps_put_text(row, pgps_severity_name(alert->severity));
	pgps_put_int4(row, alert->severity);
	pgps_put_text(row, rule->name);
	pgps_put_text(row, alert->firing ? "firing" : "pending");
	pgps_put_text(row, alert->subject.pool);
	pgps_put_name(row, NameStr(alert->subject.datname));
	pgps_put_name(row, NameStr(alert->subject.usename));
	pgps_put_text(row, alert->instance);
	pgps_put_time(row, alert->since);
	pgps_put_text(row, alert->message);
	pgps_put_text(row, rule->hint);
	pgps_put_float8(row, alert->value);
	pgps_put_float8(row, alert->threshold);
	pgps_put_text(row, rule->unit);
	pgps_put_time(row, silenced_until);
	pgps_put_time(row, evaluated_at);
	pgps_row_end(row);
}

static bool
may_see(const PgpsSubject *subject, bool sees_all)
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
	pgps_rows_begin(&row, fcinfo);
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

		if (may_see(&alert->subject, sees_all))
			put_alert(&row, alert,
					  pgps_silenced_until(silences, nsilences, alert->rule,
										  &alert->subject),
					  alerts->evaluated_at);
	}
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 * rules
 *-------------------------------------------------------------------------
 */

static void
put_default(PgpsRow *row, const PgpsRule *rule)
{
	pgps_put_text(row, rule->name);
	pgps_put_text(row, "*");
	pgps_put_known_float8(row, rule->levels.warning);
	pgps_put_known_float8(row, rule->levels.critical);
	pgps_put_known_float8(row, rule->levels.clear);
	pgps_put_text(row, rule->unit);
	pgps_put_interval(row, rule->levels.for_time);
	pgps_put_bool(row, rule->levels.enabled);
	pgps_put_text(row, "default");
	pgps_put_text(row, rule->description);
	pgps_put_null(row);
	pgps_row_end(row);
}

/* What an entry does not tell stays as it was: null. */
static void
put_override(PgpsRow *row, const PgpsOverride *entry)
{
	int			rule = pgps_find_rule(entry->rule);

	pgps_put_text(row, entry->rule);
	pgps_put_text(row, entry->target ? entry->target : "*");
	pgps_put_known_float8(row, entry->levels.warning);
	pgps_put_known_float8(row, entry->levels.critical);
	pgps_put_known_float8(row, entry->levels.clear);
	pgps_put_text(row, rule < 0 ? NULL : pgps_rules[rule]->unit);
	if (entry->levels.for_time >= 0)
		pgps_put_interval(row, entry->levels.for_time);
	else
		pgps_put_null(row);
	pgps_put_bool(row, entry->levels.enabled && entry->error == NULL);
	pgps_put_text(row, "setting");
	pgps_put_text(row, entry->text);
	pgps_put_text(row, entry->error);
	pgps_row_end(row);
}

Datum
pgps_get_rules(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	ListCell   *lc;
	int			rule;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	for (rule = 0; rule < pgps_nrules; rule++)
		put_default(&row, pgps_rules[rule]);
	foreach(lc, pgps_parse_overrides(pgps_alert_rules))
		put_override(&row, lfirst(lc));
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 * silences
 *-------------------------------------------------------------------------
 */

/* May the caller silence everything? */
static bool
is_operator(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

Datum
pgps_get_silences(PG_FUNCTION_ARGS)
{
	PgpsSilence *silences;
	PgpsRow		row;
	bool		sees_all;
	int			n;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	n = pgps_silences_copy(silences, GetCurrentTimestamp());
	sees_all = pgps_sees_all() || is_operator();
	for (i = 0; i < n; i++)
	{
		const PgpsSilence *silence = &silences[i];
		PgpsTarget	target;

		if (!pgps_may_see(silence->owner, sees_all))
			continue;
		pgps_parse_target(&target, silence->target);
		pgps_put_int4(&row, silence->id);
		pgps_put_text(&row, silence->rule);
		pgps_put_text(&row, target.database ? target.name : silence->target);
		pgps_put_text(&row, target.database);
		pgps_put_time(&row, silence->until);
		pgps_put_text(&row, silence->reason);
		pgps_put_name(&row, NameStr(silence->created_by));
		pgps_put_time(&row, silence->created_at);
		pgps_row_end(&row);
	}
	return (Datum) 0;
}

/* An argument that must be there, fit and be printable */
static void
take_text(char *dest, Size size, text *arg, const char *name)
{
	char	   *value = text_to_cstring(arg);

	pgps_clean_text(dest, size, value);
	if (value[0] == '\0' || strcmp(dest, value) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: \"%s\"", name, value),
				 errdetail("It must be 1 to %d printable ASCII characters.",
						   (int) size - 1)));
}

static TimestampTz
take_end(Interval *for_time, TimestampTz now)
{
	TimestampTz until = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
																TimestampTzGetDatum(now),
																IntervalPGetDatum(for_time)));

	if (until <= now || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("for_time must be longer than 0 and finite")));
	return until;
}

/* silence(rule, pool, for_time, reason) */
Datum
pgps_silence(PG_FUNCTION_ARGS)
{
	PgpsSilence silence = {0};
	TimestampTz now = GetCurrentTimestamp();
	char	   *reason = "";
	int			i;

	pgps_ensure_loaded();
	for (i = 0; i < 3; i++)
	{
		static const char *const names[] = {"rule", "pool", "for_time"};

		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
	take_text(silence.rule, sizeof(silence.rule), PG_GETARG_TEXT_PP(0), "rule");
	take_text(silence.target, sizeof(silence.target), PG_GETARG_TEXT_PP(1),
			  "pool");
	silence.until = take_end(PG_GETARG_INTERVAL_P(2), now);
	if (!PG_ARGISNULL(3))
		reason = text_to_cstring(PG_GETARG_TEXT_PP(3));
	pgps_clean_text(silence.reason, sizeof(silence.reason), reason);
	if (strcmp(silence.rule, "*") != 0 && pgps_find_rule(silence.rule) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no rule \"%s\"", silence.rule),
				 errhint("See the view pgpool_stats.rules; \"*\" stands for all.")));

	silence.owner = GetUserId();
	silence.everything = is_operator();
	namestrcpy(&silence.created_by, GetUserNameFromId(silence.owner, false));
	silence.created_at = now;
	silence.id = pgps_silence_add(&silence, now);
	if (silence.id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("there are %d silences already",
						silence.everything ? PGPS_MAX_SILENCES :
						PGPS_MAX_OWN_SILENCES),
				 errhint("End one with pgpool_stats.unsilence().")));
	PG_RETURN_INT32(silence.id);
}

/* unsilence(id): one's own, or any for those who may silence everything */
Datum
pgps_unsilence(PG_FUNCTION_ARGS)
{
	int32		id = PG_GETARG_INT32(0);

	pgps_ensure_loaded();
	if (!pgps_silence_end(id, is_operator() ? InvalidOid : GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no silence %d of yours", id),
				 errhint("See the view pgpool_stats.silences.")));
	PG_RETURN_VOID();
}
