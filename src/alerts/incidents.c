/*-------------------------------------------------------------------------
 *
 * incidents.c
 *	  What fired, kept after it cleared.
 *
 * A fixed table in shared memory, saved with the rest.  The collector alone
 * writes it; PGPS_INCIDENTS_LOCK keeps readers from seeing it half written.
 * What somebody did to a pool is an incident, too (acts.c).
 *
 * When the table is full, what ended gives way, never what fires: of the role
 * that has most, the oldest (shares.c; a quarter is for what is about no pool).
 * Of what fires, a role may have half of the places.
 *
 * What fires again within SAME_WITHIN of its end is the same incident.  One that
 * fired when the server stopped goes on if it is found again within
 * FOUND_WITHIN of the start, pending included; otherwise it ended when it was
 * last seen.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"

#include "alerts/acts.h"
#include "alerts/incidents.h"
#include "alerts/shares.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "base/table.h"
#include "registry/registry.h"

#define SAME_WITHIN (10 * USECS_PER_MINUTE)
#define FOUND_WITHIN (2 * USECS_PER_MINUTE)

typedef struct Table
{
	int64		last_id;
	int			count;			/* no place from here on was ever taken */
	int			without_place;
	int64		gave_way;
	PgpsIncident incidents[FLEXIBLE_ARRAY_MEMBER];
} Table;

/* where an incident is found */
typedef struct Place
{
	PgpsAlertKey key;
	int			i;
} Place;

/* what a pass does to each incident of the table */
typedef struct Plan
{
	const PgpsAlert **fires;	/* the alert, or NULL */
	bool	   *pending;		/* it may fire yet */
} Plan;

static Table *shared = NULL;

Size
pgps_incidents_size(void)
{
	return add_size(offsetof(Table, incidents),
					mul_size(pgps_max_incidents, sizeof(PgpsIncident)));
}

void
pgps_incidents_init(void *area, bool found)
{
	shared = area;
}

/* All of them, in the current memory context */
PgpsIncidents *
pgps_incidents_copy(void)
{
	PgpsIncidents *copy = palloc0(sizeof(PgpsIncidents));
	bool		done = false;

	/* memory is made and touched before the lock is taken */
	while (!done)
	{
		int			room = Min(shared->count + 16, pgps_max_incidents);

		copy->incidents = palloc_extended(room * sizeof(PgpsIncident),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		pgps_acquire(PGPS_INCIDENTS_LOCK, LW_SHARED);
		if (shared->count <= room)
		{
			copy->count = shared->count;
			copy->without_place = shared->without_place;
			copy->gave_way = shared->gave_way;
			memcpy(copy->incidents, shared->incidents,
				   copy->count * sizeof(PgpsIncident));
			done = true;
		}
		pgps_release(PGPS_INCIDENTS_LOCK);
	}
	return copy;
}

/* How many fire now without a place, and how many gave way to others */
void
pgps_incidents_left_out(int *without_place, int64 *gave_way)
{
	pgps_acquire(PGPS_INCIDENTS_LOCK, LW_SHARED);
	*without_place = shared->without_place;
	*gave_way = shared->gave_way;
	pgps_release(PGPS_INCIDENTS_LOCK);
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

/* Those that what fires now may belong to */
static HTAB *
index_incidents(TimestampTz now)
{
	HTAB	   *places = pgps_make_table("pgpool_stats incidents", shared->count,
										 sizeof(PgpsAlertKey), sizeof(Place));
	int			i;

	for (i = 0; i < shared->count; i++)
	{
		const PgpsIncident *incident = &shared->incidents[i];
		PgpsAlertKey key;
		Place	   *place;
		bool		found;

		if (incident->ended != 0 &&
			pgps_elapsed(incident->ended, now) > SAME_WITHIN)
			continue;
		pgps_alert_key(&key, pgps_find_rule(incident->rule),
					   &incident->subject);
		place = hash_search(places, &key, HASH_ENTER, &found);
		if (!found || incident->ended == 0)
			place->i = i;
	}
	return places;
}

/* Which alert is about which incident?  Returns those about none that fire. */
static List *
make_plan(Plan *plan, const PgpsAlerts *alerts)
{
	HTAB	   *places = index_incidents(alerts->evaluated_at);
	List	   *fresh = NIL;
	int			i;

	plan->fires = palloc0((shared->count + 1) * sizeof(PgpsAlert *));
	plan->pending = palloc0((shared->count + 1) * sizeof(bool));
	for (i = 0; i < alerts->count; i++)
	{
		PgpsAlert  *alert = &alerts->alerts[i];
		PgpsAlertKey key;
		const Place *place;

		pgps_alert_key(&key, alert->rule, &alert->subject);
		place = hash_search(places, &key, HASH_FIND, NULL);
		if (place != NULL && alert->firing)
			plan->fires[place->i] = alert;
		else if (place != NULL)
			plan->pending[place->i] = true;
		else if (alert->firing)
			fresh = lappend(fresh, alert);
	}
	hash_destroy(places);
	return fresh;
}

/* Most waiters, then most connections held, then the highest value */
static bool
is_worse(const PgpsAlert *alert, const PgpsIncident *incident)
{
	if (alert->waiting != incident->waiting)
		return alert->waiting > incident->waiting;
	if (alert->held != incident->held)
		return alert->held > incident->held;
	return alert->value >= incident->value;
}

static void
note_cause(PgpsIncident *incident, const PgpsAlert *alert)
{
	double		seconds;
	const PgpsCause *cause = pgps_main_cause(alert, &seconds);
	PgpsCause  *known = &incident->cause;

	if (cause == NULL || seconds < incident->cause_seconds)
		return;
	incident->cause_seconds = seconds;
	if (cause->kind != known->kind || cause->count >= known->count ||
		!pgps_same_party(&cause->culprit, &known->culprit))
		*known = *cause;
}

/* It fires. */
static void
note_firing(PgpsIncident *incident, const PgpsAlert *alert, TimestampTz now)
{
	if (incident->ended != 0)
	{
		incident->ended = 0;
		incident->times++;
		incident->cause_seconds = 0;
	}
	incident->restored = false;
	incident->fired_at = now;
	incident->severity = Max(incident->severity, alert->severity);
	incident->worst = Max(incident->worst, alert->value);
	if (incident->message_at == 0 || is_worse(alert, incident))
	{
		incident->message_at = now;
		incident->waiting = alert->waiting;
		incident->held = alert->held;
		incident->value = alert->value;
		memcpy(incident->instance, alert->instance, sizeof(incident->instance));
		memcpy(incident->message, alert->message, sizeof(incident->message));
	}
	note_cause(incident, alert);
}

static void
begin_incident(PgpsIncident *incident, const PgpsAlert *alert, TimestampTz now)
{
	memset(incident, 0, sizeof(PgpsIncident));
	incident->id = ++shared->last_id;
	strlcpy(incident->rule, alert->rule >= 0 ? pgps_rules[alert->rule]->name :
			pgps_act_name(PGPS_ACT_OF_RULE(alert->rule)), sizeof(incident->rule));
	incident->subject = alert->subject;
	incident->times = 1;
	incident->began = alert->since;
	incident->worst = alert->value;
	note_firing(incident, alert, now);
}

/* It does not fire. */
static void
note_quiet(PgpsIncident *incident, bool pending, TimestampTz started_at,
		   TimestampTz now)
{
	if (!incident->restored)
		incident->ended = now;
	else if (!pending && pgps_elapsed(started_at, now) > FOUND_WITHIN)
	{
		incident->ended = incident->fired_at;
		incident->restored = false;
	}
}

static const PgpsIncident *sorted;	/* what compare_ended() looks at */

/* Newest first, what has not ended before that */
static int
compare_ended(const void *a, const void *b)
{
	TimestampTz x = sorted[*(const int *) a].ended;
	TimestampTz y = sorted[*(const int *) b].ended;

	if ((x == 0) != (y == 0))
		return x == 0 ? -1 : 1;
	return (x < y) - (x > y);
}

static int *
newest_first(const PgpsIncident *incidents, int n)
{
	int		   *order = palloc((n + 1) * sizeof(int));
	int			i;

	for (i = 0; i < n; i++)
		order[i] = i;
	sorted = incidents;
	qsort(order, n, sizeof(int), compare_ended);
	return order;
}

/*
 * Which of the new ones get a place, and which of those that ended give theirs
 * up?  Within a role, what fires stands before what is new, and that before
 * what ended, the newest first.
 */
static void
choose_places(const List *fresh, bool *gets_place, List **freed)
{
	int			nfresh = list_length(fresh);
	int			n = shared->count + nfresh;
	int			places = pgps_max_incidents;
	int		   *order = newest_first(shared->incidents, shared->count);
	PgpsClaim  *claims = palloc_extended(n * sizeof(PgpsClaim),
										 MCXT_ALLOC_HUGE);
	int			i;

	for (i = 0; i < shared->count; i++)
	{
		const PgpsIncident *incident = &shared->incidents[order[i]];

		claims[i].role = incident->subject.roleid;
		claims[i].item = order[i];
		claims[i].order = incident->ended == 0 ? i : i + nfresh;
		places -= incident->ended == 0;
	}
	for (i = 0; i < nfresh; i++)
	{
		PgpsClaim  *claim = &claims[shared->count + i];

		claim->role = ((const PgpsAlert *) list_nth(fresh, i))->subject.roleid;
		claim->item = shared->count + i;
		claim->order = pgps_max_incidents - places + i;
	}
	pgps_share_out(claims, n, pgps_max_incidents / 4);

	for (i = 0; i < n; i++)
	{
		int			item = claims[i].item;
		bool		is_new = item >= shared->count;

		if (!is_new && shared->incidents[item].ended == 0)
			continue;
		if (places > 0 && !(is_new && OidIsValid(claims[i].role) &&
							claims[i].rank >= pgps_max_incidents / 2))
		{
			places--;
			if (is_new)
				gets_place[item - shared->count] = true;
		}
		else if (!is_new)
			*freed = lappend_int(*freed, item);
	}
	pfree(claims);
	pfree(order);
}

/* Caller holds the lock. */
static void
add_fresh(const List *fresh, const bool *gets_place, const List *freed,
		  TimestampTz now)
{
	int			taken = 0;
	const ListCell *lc;

	shared->without_place = 0;
	foreach(lc, fresh)
	{
		int			place;

		if (!gets_place[foreach_current_index(lc)])
		{
			shared->without_place++;
			continue;
		}
		if (shared->count < pgps_max_incidents)
			place = shared->count++;
		else
		{
			place = list_nth_int(freed, taken++);
			shared->gave_way++;
		}
		begin_incident(&shared->incidents[place], lfirst(lc), now);
	}
}

/* What fires at this pass */
void
pgps_incidents_note(const PgpsAlerts *alerts)
{
	TimestampTz now = alerts->evaluated_at;
	List	   *acts = pgps_take_acts();
	PgpsRegistryInfo info;
	Plan		plan;
	List	   *fresh;
	List	   *freed = NIL;
	bool	   *gets_place;
	int			count = shared->count;
	int			i;

	if (count == 0 && alerts->count == 0 && acts == NIL)
		return;
	pgps_registry_info(&info);
	fresh = list_concat(make_plan(&plan, alerts), acts);
	gets_place = palloc0((list_length(fresh) + 1) * sizeof(bool));
	if (fresh != NIL)
		choose_places(fresh, gets_place, &freed);

	pgps_acquire(PGPS_INCIDENTS_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < count; i++)
	{
		PgpsIncident *incident = &shared->incidents[i];

		if (plan.fires[i] != NULL)
			note_firing(incident, plan.fires[i], now);
		else if (incident->ended == 0)
			note_quiet(incident, plan.pending[i], info.started_at, now);
	}
	add_fresh(fresh, gets_place, freed, now);
	pgps_release(PGPS_INCIDENTS_LOCK);
}

/*-------------------------------------------------------------------------
 * When the server starts
 *-------------------------------------------------------------------------
 */

/* Those that were saved; the oldest that ended are left out if they are many. */
void
pgps_incidents_restore(const PgpsIncident *saved, int n)
{
	int		   *order = newest_first(saved, n);
	int			i;

	for (i = 0; i < n; i++)
		shared->last_id = Max(shared->last_id, saved[i].id);
	for (i = 0; i < Min(n, pgps_max_incidents); i++)
	{
		PgpsIncident *incident = &shared->incidents[shared->count++];

		*incident = saved[order[i]];
		incident->restored = incident->ended == 0;
	}
	pfree(order);
}
