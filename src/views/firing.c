/*-------------------------------------------------------------------------
 *
 * firing.c
 *	  The worst alert that fires for a pool, or for the server.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "alerts/alerts.h"
#include "views/firing.h"
#include "views/visible.h"

/*
 * What fires and is not silenced (PgpsAlert), of what the caller may see.
 */
List *
pgps_firing_alerts(TimestampTz now)
{
	PgpsSilence *silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	int			nsilences = pgps_silences_copy(silences, now);
	PgpsAlerts *alerts = pgps_alerts_copy();
	PgpsAlert  *down = palloc(sizeof(PgpsAlert));
	List	   *result = NIL;
	int			i;

	if (pgps_collector_alert(down, now))
		result = lappend(result, down);
	for (i = 0; i < alerts->count; i++)
		result = lappend(result, &alerts->alerts[i]);
	for (i = list_length(result) - 1; i >= 0; i--)
	{
		const PgpsAlert *alert = list_nth(result, i);

		if (!alert->firing || !pgps_may_see_alert(&alert->subject) ||
			pgps_silenced_until(silences, nsilences, alert) != 0)
			result = list_delete_nth_cell(result, i);
	}
	return result;
}

/* Is it about the pool, or about something that the pool needs? */
static bool
concerns_pool(const PgpsSubject *subject, const PgpsPoolState *pool)
{
	const PgpsPool *data = pool->data;

	switch (subject->scope)
	{
		case PGPS_SCOPE_POOL:
			return subject->roleid == data->key.roleid &&
				subject->dbid == data->key.dbid &&
				strcmp(subject->pool, data->key.name) == 0;
		case PGPS_SCOPE_ROLE:
			return strcmp(NameStr(subject->usename), NameStr(data->usename)) == 0;
		case PGPS_SCOPE_DATABASE:
			return strcmp(NameStr(subject->datname), NameStr(data->datname)) == 0;
		case PGPS_SCOPE_POOLER:
			return pool->via != NULL && strcmp(subject->pool, pool->via) == 0;
		default:
			return false;
	}
}

/*
 * Raise "worst" to what fires for a pool or, if that is NULL, for the server,
 * which is all that is about no single pool.
 */
void
pgps_add_firing(PgpsFiring *worst, const List *alerts, const PgpsPoolState *pool)
{
	const ListCell *lc;

	foreach(lc, alerts)
	{
		const PgpsAlert *alert = lfirst(lc);

		if (pool != NULL ? !concerns_pool(&alert->subject, pool) :
			alert->subject.scope == PGPS_SCOPE_POOL)
			continue;
		if (alert->severity > worst->severity)
		{
			worst->severity = alert->severity;
			worst->since = alert->since;
		}
		else if (alert->severity == worst->severity)
			worst->since = Min(worst->since, alert->since);
	}
}
