/*-------------------------------------------------------------------------
 *
 * alert_table.c
 *	  The alerts that others than the collector can read.
 *
 * The collector alone writes the table in shared memory; PGPS_ALERTS_LOCK
 * keeps readers from seeing it half written.  It begins empty when the server
 * starts.
 *
 * When there are more alerts than places, each role has its share, and a
 * quarter is for what is about no pool: see shares.c.  Of its own, a role keeps
 * what is not silenced before what is, what fires before what is pending,
 * critical before warning, the older before the newer.  Of what has no place,
 * the table says how much fires about which subject.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/overrides.h"
#include "alerts/shares.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "base/table.h"
#include "registry/peaks.h"

#define FULL_LOG_INTERVAL (60 * USECS_PER_SEC)

/*
 * Pools and poolers; what roles and databases there are beyond that counts as
 * the server's.
 */
#define LEFT_OUT_PLACES (pgps_max_pools + 256)

/* followed by LEFT_OUT_PLACES of PgpsLeftOut */
typedef struct Table
{
	TimestampTz evaluated_at;
	int			count;
	int			without_place;
	int			nleft_out;
	PgpsAlert	alerts[FLEXIBLE_ARRAY_MEMBER];
} Table;

/* where a subject is found */
typedef struct Place
{
	PgpsSubjectKey key;
	int			i;
} Place;

static Table *shared = NULL;

static Size
alerts_size(void)
{
	return MAXALIGN(add_size(offsetof(Table, alerts),
							 mul_size(pgps_max_alerts, sizeof(PgpsAlert))));
}

Size
pgps_alerts_size(void)
{
	return add_size(alerts_size(),
					mul_size(LEFT_OUT_PLACES, sizeof(PgpsLeftOut)));
}

void
pgps_alerts_init(void *area, bool found)
{
	shared = area;
}

static PgpsLeftOut *
shared_left_out(void)
{
	return (PgpsLeftOut *) ((char *) shared + alerts_size());
}

/* What is there now, in the current memory context */
PgpsAlerts *
pgps_alerts_copy(void)
{
	PgpsAlerts *copy = palloc0(sizeof(PgpsAlerts));
	bool		done = false;

	/* memory is made and touched before the lock is taken */
	while (!done)
	{
		int			count = Min(shared->count + 16, pgps_max_alerts);
		int			nleft_out = Min(shared->nleft_out + 16, LEFT_OUT_PLACES);

		copy->alerts = palloc0(count * sizeof(PgpsAlert));
		copy->left_out = palloc0(nleft_out * sizeof(PgpsLeftOut));
		pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
		if (shared->count <= count && shared->nleft_out <= nleft_out)
		{
			copy->evaluated_at = shared->evaluated_at;
			copy->count = shared->count;
			copy->without_place = shared->without_place;
			copy->nleft_out = shared->nleft_out;
			memcpy(copy->alerts, shared->alerts,
				   copy->count * sizeof(PgpsAlert));
			memcpy(copy->left_out, shared_left_out(),
				   copy->nleft_out * sizeof(PgpsLeftOut));
			done = true;
		}
		pgps_release(PGPS_ALERTS_LOCK);
	}
	return copy;
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

static bool *
find_placed(const PgpsAlerts *alerts, const bool *silenced)
{
	bool	   *placed = palloc(alerts->count + 1);
	PgpsClaim  *claims;
	int			i;

	memset(placed, alerts->count <= pgps_max_alerts, alerts->count);
	if (alerts->count <= pgps_max_alerts)
		return placed;
	claims = palloc_extended(alerts->count * sizeof(PgpsClaim), MCXT_ALLOC_HUGE);
	for (i = 0; i < alerts->count; i++)
	{
		claims[i].role = alerts->alerts[i].subject.roleid;
		claims[i].item = i;
		claims[i].order = silenced[i] ? alerts->count + i : i;
	}
	pgps_share_out(claims, alerts->count, pgps_max_alerts / 4);
	for (i = 0; i < pgps_max_alerts; i++)
		placed[claims[i].item] = true;
	pfree(claims);
	return placed;
}

static void
note_left_out(PgpsAlerts *alerts, HTAB *places, const PgpsAlert *alert)
{
	static const PgpsSubject server = {.scope = PGPS_SCOPE_SERVER};
	PgpsLeftOut *entry;
	PgpsSubjectKey key;
	Place	   *place;
	bool		found;

	pgps_subject_key(&key, &alert->subject);
	if (alerts->nleft_out >= LEFT_OUT_PLACES - 1 &&
		hash_search(places, &key, HASH_FIND, NULL) == NULL)
		pgps_subject_key(&key, &server);
	place = hash_search(places, &key, HASH_ENTER, &found);
	if (!found)
	{
		place->i = alerts->nleft_out++;
		memset(&alerts->left_out[place->i], 0, sizeof(PgpsLeftOut));
		alerts->left_out[place->i].subject = key;
	}
	entry = &alerts->left_out[place->i];
	entry->count++;
	if (alert->severity > entry->severity)
		entry->since = alert->since;
	else if (alert->severity == entry->severity)
		entry->since = Min(entry->since, alert->since);
	entry->severity = Max(entry->severity, alert->severity);
}

/* Sum up what has no place. */
static void
find_left_out(PgpsAlerts *alerts, const bool *placed, const bool *silenced)
{
	HTAB	   *places;
	int			i;

	if (alerts->count <= pgps_max_alerts)
		return;
	alerts->without_place = alerts->count - pgps_max_alerts;
	alerts->left_out = palloc(LEFT_OUT_PLACES * sizeof(PgpsLeftOut));
	places = pgps_make_table("pgpool_stats alerts left out", 256,
							 sizeof(PgpsSubjectKey), sizeof(Place));
	for (i = 0; i < alerts->count; i++)
	{
		const PgpsAlert *alert = &alerts->alerts[i];

		if (!placed[i] && !silenced[i] && alert->firing)
			note_left_out(alerts, places, alert);
	}
}

/* Log that the table is full when it gets so, at most once a minute. */
static void
log_full(const PgpsAlerts *alerts)
{
	static bool was_full = false;
	static TimestampTz logged_at = 0;

	if (alerts->without_place > 0 && !was_full &&
		pgps_elapsed(logged_at, alerts->evaluated_at) >= FULL_LOG_INTERVAL)
	{
		ereport(LOG,
				(errmsg("pgpool_stats leaves out %d of %d alerts",
						alerts->without_place, alerts->count),
				 errhint("Raise pgpool_stats.max_alerts, or switch off rules for some pools in pgpool_stats.alert_rules.")));
		logged_at = alerts->evaluated_at;
	}
	was_full = alerts->without_place > 0;
}

/* Let others read what has a place, and how much has none. */
void
pgps_alerts_publish(PgpsAlerts *alerts, const bool *silenced)
{
	bool	   *placed = find_placed(alerts, silenced);
	int			n = 0;
	int			i;

	find_left_out(alerts, placed, silenced);
	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < alerts->count; i++)
	{
		if (placed[i])
			shared->alerts[n++] = alerts->alerts[i];
	}
	shared->evaluated_at = alerts->evaluated_at;
	shared->count = n;
	shared->without_place = alerts->without_place;
	shared->nleft_out = alerts->nleft_out;
	if (alerts->nleft_out > 0)
		memcpy(shared_left_out(), alerts->left_out,
			   alerts->nleft_out * sizeof(PgpsLeftOut));
	pgps_release(PGPS_ALERTS_LOCK);
	log_full(alerts);
}
