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

#include "utils/hsearch.h"

#include "alerts/alerts.h"
#include "alerts/overrides.h"
#include "base/table.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "views/firing.h"
#include "views/visible.h"

/* the worst that fires about a subject */
typedef struct Subject
{
	PgpsSubjectKey key;
	PgpsFiring	worst;
} Subject;

struct PgpsFirings
{
	HTAB	   *subjects;
	PgpsFiring	server;			/* all that is about no single pool */
};

static void
add(PgpsFiring *worst, PgpsSeverity severity, TimestampTz since)
{
	if (severity > worst->severity)
		worst->since = since;
	else if (severity == worst->severity)
		worst->since = Min(worst->since, since);
	worst->severity = Max(worst->severity, severity);
}

static void
add_subject(PgpsFirings *firings, const PgpsSubjectKey *key,
			PgpsSeverity severity, TimestampTz since)
{
	Subject    *subject;
	bool		found;

	subject = hash_search(firings->subjects, key, HASH_ENTER, &found);
	if (!found)
		memset(&subject->worst, 0, sizeof(PgpsFiring));
	add(&subject->worst, severity, since);
	if (key->scope != PGPS_SCOPE_POOL)
		add(&firings->server, severity, since);
}

static void
add_alert(PgpsFirings *firings, const PgpsSilences *silences,
		  const PgpsAlert *alert)
{
	PgpsSubjectKey key;

	if (!alert->firing ||
		!pgps_may_see_alert(alert->subject.scope, alert->subject.roleid) ||
		pgps_silenced_until(silences, alert) != 0)
		return;
	pgps_subject_key(&key, &alert->subject);
	add_subject(firings, &key, alert->severity, alert->since);
}

/*
 * What fires and is not silenced, of what the caller may see; also what has no
 * place in the view alerts.
 */
PgpsFirings *
pgps_firing_alerts(TimestampTz now)
{
	PgpsFirings *firings = palloc0(sizeof(PgpsFirings));
	PgpsSilences *silences = pgps_silences_copy(now);
	PgpsAlerts *alerts = pgps_alerts_copy();
	PgpsAlert	down;
	int			i;

	firings->subjects = pgps_make_table("pgpool_stats firing", 64,
										sizeof(PgpsSubjectKey), sizeof(Subject));
	if (pgps_collector_alert(&down, now))
		add_alert(firings, silences, &down);
	for (i = 0; i < alerts->count; i++)
		add_alert(firings, silences, &alerts->alerts[i]);
	for (i = 0; i < alerts->nleft_out; i++)
	{
		const PgpsLeftOut *entry = &alerts->left_out[i];

		if (pgps_may_see_alert(entry->subject.scope, entry->subject.roleid))
			add_subject(firings, &entry->subject, entry->severity,
						entry->since);
	}
	return firings;
}

static void
raise_to(PgpsFiring *worst, const PgpsFirings *firings, PgpsScope scope,
		 const PgpsPoolKey *pool, const char *name)
{
	PgpsSubjectKey key;
	const Subject *subject;

	memset(&key, 0, sizeof(key));
	key.scope = scope;
	key.roleid = pool ? pool->roleid : InvalidOid;
	key.dbid = pool ? pool->dbid : InvalidOid;
	strlcpy(key.name, name, sizeof(key.name));
	subject = hash_search(firings->subjects, &key, HASH_FIND, NULL);
	if (subject != NULL)
		add(worst, subject->worst.severity, subject->worst.since);
}

/*
 * Raise "worst" to what fires for a pool, or for something that the pool needs;
 * if the pool is NULL, for the server.
 */
void
pgps_add_firing(PgpsFiring *worst, const PgpsFirings *firings,
				const PgpsPoolState *pool)
{
	const PgpsPool *data;

	if (pool == NULL)
	{
		add(worst, firings->server.severity, firings->server.since);
		return;
	}
	data = pool->data;
	raise_to(worst, firings, PGPS_SCOPE_POOL, &data->key, data->key.name);
	raise_to(worst, firings, PGPS_SCOPE_ROLE, NULL, NameStr(data->usename));
	raise_to(worst, firings, PGPS_SCOPE_DATABASE, NULL, NameStr(data->datname));
	if (pool->via != NULL)
		raise_to(worst, firings, PGPS_SCOPE_POOLER, NULL, pool->via);
}
