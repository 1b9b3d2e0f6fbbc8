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

#include "alerts/rules.h"
#include "alerts/silences.h"
#include "base/shmem.h"

typedef struct Silences
{
	int32		last_id;
	PgpsSilence silences[PGPS_MAX_SILENCES];
} Silences;

static Silences *shared = NULL;

Size
pgps_silences_size(void)
{
	return sizeof(Silences);
}

void
pgps_silences_init(void *area, bool found)
{
	shared = area;
}

/* Returns the id it got; 0 if all places, or its owner's, are taken. */
int32
pgps_silence_add(const PgpsSilence *silence, TimestampTz now)
{
	PgpsSilence *free_place = NULL;
	int32		id = 0;
	int			own = 0;
	int			i;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < PGPS_MAX_SILENCES; i++)
	{
		PgpsSilence *place = &shared->silences[i];

		if (place->id == 0 || place->until <= now)
			free_place = place;
		else
			own += place->owner == silence->owner;
	}
	if (free_place != NULL &&
		(silence->everything || own < PGPS_MAX_OWN_SILENCES))
	{
		*free_place = *silence;
		free_place->id = id = ++shared->last_id;
	}
	pgps_release(PGPS_ALERTS_LOCK);
	return id;
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
	for (i = 0; i < PGPS_MAX_SILENCES; i++)
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

/* Those that are in force; returns how many. */
int
pgps_silences_copy(PgpsSilence *silences, TimestampTz now)
{
	int			n = 0;
	int			i;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	for (i = 0; i < PGPS_MAX_SILENCES; i++)
	{
		if (shared->silences[i].id != 0 && shared->silences[i].until > now)
			silences[n++] = shared->silences[i];
	}
	pgps_release(PGPS_ALERTS_LOCK);
	return n;
}

static bool
is_meant(const PgpsSilence *silence, int rule, const PgpsSubject *subject)
{
	PgpsTarget	target;

	if (strcmp(silence->rule, "*") != 0 &&
		strcmp(silence->rule, pgps_rules[rule]->name) != 0)
		return false;
	if (!silence->everything && (subject->scope != PGPS_SCOPE_POOL ||
								 subject->roleid != silence->owner))
		return false;
	pgps_parse_target(&target, silence->target);
	return pgps_target_matches(&target, subject);
}

/* Until when an alert is silenced; 0 if it is not. */
TimestampTz
pgps_silenced_until(const PgpsSilence *silences, int n, int rule,
					const PgpsSubject *subject)
{
	TimestampTz until = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (silences[i].until > until && is_meant(&silences[i], rule, subject))
			until = silences[i].until;
	}
	return until;
}

/* While the server starts; nobody else is there yet. */
void
pgps_silence_restore(const PgpsSilence *silence)
{
	int			i;

	for (i = 0; i < PGPS_MAX_SILENCES && shared->silences[i].id != 0; i++)
		;
	if (i < PGPS_MAX_SILENCES)
		shared->silences[i] = *silence;
	shared->last_id = Max(shared->last_id, silence->id);
}
