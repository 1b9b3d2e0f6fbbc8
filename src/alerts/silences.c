/*-------------------------------------------------------------------------
 *
 * silences.c
 *	  Alerts that nobody wants to hear of for a while.
 *
 * A fixed table in shared memory, guarded by PGPS_ALERTS_LOCK, saved with the
 * rest.  Silenced alerts are still evaluated and shown; they are not logged,
 * not sent, and do not count in check_status().
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "alerts/alerts.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "registry/patterns.h"
#include "registry/peaks.h"

typedef struct Silences
{
	int32		last_id;
	int			used;			/* no place from here on was ever taken */
	PgpsSilence silences[FLEXIBLE_ARRAY_MEMBER];
} Silences;

static Silences *shared = NULL;

Size
pgps_silences_size(void)
{
	return add_size(offsetof(Silences, silences),
					mul_size(pgps_max_silences, sizeof(PgpsSilence)));
}

void
pgps_silences_init(void *area, bool found)
{
	shared = area;
}

static bool
is_in_force(const PgpsSilence *silence, TimestampTz now)
{
	return silence->id != 0 && silence->until > now;
}

/* What is taken, as far as it matters to one role */
typedef struct Taken
{
	int			all;
	int			operators;
	int			own;
	PgpsSilence *free_place;	/* the first one, or NULL */
} Taken;

static Taken
count_taken(Oid owner, TimestampTz now)
{
	Taken		taken = {0};
	int			i;

	for (i = 0; i < shared->used; i++)
	{
		PgpsSilence *place = &shared->silences[i];

		if (is_in_force(place, now))
		{
			taken.all++;
			taken.operators += place->everything;
			taken.own += place->owner == owner;
		}
		else if (taken.free_place == NULL)
			taken.free_place = place;
	}
	if (taken.free_place == NULL && shared->used < pgps_max_silences)
		taken.free_place = &shared->silences[shared->used];
	return taken;
}

/*
 * Of all places, the first quarter is for operators, and another is for the
 * first one of each other role: neither takes the last one from the other, and
 * no role takes them all.
 */
static PgpsSilenceRoom
find_room(const PgpsSilence *silence, const Taken *taken)
{
	int			quarter = pgps_max_silences / 4;
	int			others = taken->all - taken->operators;

	if (!silence->everything && taken->own >= PGPS_MAX_OWN_SILENCES)
		return PGPS_SILENCE_ROLE_FULL;
	if (taken->free_place == NULL)
		return PGPS_SILENCE_ALL_FULL;
	if (silence->everything)
		return taken->operators < pgps_max_silences - quarter ?
			PGPS_SILENCE_HAS_ROOM : PGPS_SILENCE_FIRSTS_ONLY;
	if (others >= pgps_max_silences - quarter)
		return PGPS_SILENCE_ALL_FULL;
	if (taken->own > 0 &&
		(others >= pgps_max_silences - 2 * quarter ||
		 taken->all >= pgps_max_silences - quarter))
		return PGPS_SILENCE_FIRSTS_ONLY;
	return PGPS_SILENCE_HAS_ROOM;
}

static bool
is_id_taken(int32 id)
{
	int			i;

	for (i = 0; i < shared->used; i++)
	{
		if (shared->silences[i].id == id)
			return true;
	}
	return false;
}

/* Take it up, with its new id, if there is room. */
PgpsSilenceRoom
pgps_silence_add(PgpsSilence *silence, TimestampTz now)
{
	Taken		taken;
	PgpsSilenceRoom room;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	taken = count_taken(silence->owner, now);
	room = find_room(silence, &taken);
	if (room == PGPS_SILENCE_HAS_ROOM)
	{
		/* numbers begin anew after the last one, and one may still be there */
		do
			shared->last_id = shared->last_id == PG_INT32_MAX ? 1 :
				shared->last_id + 1;
		while (is_id_taken(shared->last_id));
		silence->id = shared->last_id;
		*taken.free_place = *silence;
		shared->used = Max(shared->used,
						   (int) (taken.free_place - shared->silences) + 1);
	}
	pgps_release(PGPS_ALERTS_LOCK);
	return room;
}

/*
 * End a silence; only one of that owner, unless it is InvalidOid.  Returns
 * whether there was one.
 */
bool
pgps_silence_end(int32 id, Oid owner)
{
	bool		found = false;
	int			i;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < shared->used; i++)
	{
		PgpsSilence *place = &shared->silences[i];

		if (id != 0 && place->id == id &&
			(!OidIsValid(owner) || place->owner == owner))
		{
			place->id = 0;
			found = true;
		}
	}
	pgps_release(PGPS_ALERTS_LOCK);
	return found;
}

/* Those that are in force, in the current memory context */
PgpsSilences *
pgps_silences_copy(TimestampTz now)
{
	PgpsSilences *copy = palloc0(sizeof(PgpsSilences));
	int			i;

	/* zeroed: no page faults under the lock */
	copy->silences = palloc0(pgps_max_silences * sizeof(PgpsSilence));
	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	for (i = 0; i < shared->used; i++)
	{
		if (is_in_force(&shared->silences[i], now))
			copy->silences[copy->n++] = shared->silences[i];
	}
	pgps_release(PGPS_ALERTS_LOCK);

	copy->targets = palloc(Max(copy->n, 1) * sizeof(PgpsTarget));
	for (i = 0; i < copy->n; i++)
		pgps_parse_target(&copy->targets[i], copy->silences[i].target);
	return copy;
}

static bool
is_meant(const PgpsSilence *silence, const PgpsTarget *target,
		 const PgpsAlert *alert)
{
	const PgpsSubject *subject = &alert->subject;

	if (!silence->everything && (subject->scope != PGPS_SCOPE_POOL ||
								 subject->roleid != silence->owner))
		return false;
	return (strcmp(silence->rule, "*") == 0 ||
			strcmp(silence->rule, pgps_rules[alert->rule]->name) == 0) &&
		pgps_target_matches(target, subject);
}

/* Until when an alert is silenced; 0 if it is not. */
TimestampTz
pgps_silenced_until(const PgpsSilences *silences, const PgpsAlert *alert)
{
	TimestampTz until = 0;
	int			i;

	for (i = 0; i < silences->n; i++)
	{
		if (silences->silences[i].until > until &&
			is_meant(&silences->silences[i], &silences->targets[i], alert))
			until = silences->silences[i].until;
	}
	return until;
}

/*
 * While the server starts; nobody else is there yet.  Where max_silences is
 * smaller than it was, the last ones are left out.
 */
void
pgps_silence_restore(const PgpsSilence *silence)
{
	if (shared->used < pgps_max_silences)
		shared->silences[shared->used++] = *silence;
	shared->last_id = Max(shared->last_id, silence->id);
}
