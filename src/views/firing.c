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

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "alerts/alerts.h"
#include "views/firing.h"
#include "views/visible.h"

/* what fires for one pool */
typedef struct PoolFiring
{
	PgpsPoolKey key;
	PgpsFiring	worst;
} PoolFiring;

/* what fires and is not silenced, of what the caller may see */
struct PgpsFirings
{
	HTAB	   *pools;			/* of PoolFiring */
	List	   *others;			/* PgpsAlert of limits, poolers and the server */
};

static void
add_firing(PgpsFiring *worst, PgpsSeverity severity, TimestampTz since)
{
	if (severity > worst->severity)
	{
		worst->severity = severity;
		worst->since = since;
	}
	else if (severity == worst->severity)
		worst->since = Min(worst->since, since);
}

static void
note_firing(PgpsFirings *firings, const PgpsAlert *alert)
{
	PgpsPoolKey key;
	PoolFiring *firing;
	bool		found;

	if (alert->subject.scope != PGPS_SCOPE_POOL)
	{
		firings->others = lappend(firings->others, unconstify(PgpsAlert *, alert));
		return;
	}
	memset(&key, 0, sizeof(key));
	key.roleid = alert->subject.roleid;
	key.dbid = alert->subject.dbid;
	strlcpy(key.name, alert->subject.pool, sizeof(key.name));
	firing = hash_search(firings->pools, &key, HASH_ENTER, &found);
	if (!found)
		memset(&firing->worst, 0, sizeof(PgpsFiring));
	add_firing(&firing->worst, alert->severity, alert->since);
}

const PgpsFirings *
pgps_firing_alerts(TimestampTz now)
{
	PgpsSilence *silences = palloc(PGPS_MAX_SILENCES * sizeof(PgpsSilence));
	int			nsilences = pgps_silences_copy(silences, now);
	PgpsAlerts *alerts = pgps_alerts_copy();
	PgpsAlert  *down = palloc(sizeof(PgpsAlert));
	PgpsFirings *firings = palloc0(sizeof(PgpsFirings));
	HASHCTL		ctl = {
		.keysize = sizeof(PgpsPoolKey),
		.entrysize = sizeof(PoolFiring),
		.hcxt = CurrentMemoryContext
	};
	int			i;

	firings->pools = hash_create("pgpool_stats firing", 64, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (pgps_collector_alert(down, now) && down->firing &&
		pgps_silenced_until(silences, nsilences, down) == 0)
		note_firing(firings, down);
	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		CHECK_FOR_INTERRUPTS();
		if (alert->firing && pgps_may_see_alert(&alert->subject) &&
			pgps_silenced_until(silences, nsilences, alert) == 0)
			note_firing(firings, alert);
	}
	return firings;
}

/* Is it about something that the pool needs? */
static bool
concerns_pool(const PgpsSubject *subject, const PgpsPoolState *pool)
{
	const PgpsPool *data = pool->data;

	switch (subject->scope)
	{
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
pgps_add_firing(PgpsFiring *worst, const PgpsFirings *firings,
				const PgpsPoolState *pool)
{
	const PoolFiring *own;
	const ListCell *lc;

	if (pool != NULL)
	{
		own = hash_search(firings->pools, &pool->data->key, HASH_FIND, NULL);
		if (own != NULL)
			add_firing(worst, own->worst.severity, own->worst.since);
	}
	foreach(lc, firings->others)
	{
		const PgpsAlert *alert = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (pool == NULL || concerns_pool(&alert->subject, pool))
			add_firing(worst, alert->severity, alert->since);
	}
}
