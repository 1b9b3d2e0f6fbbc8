/*-------------------------------------------------------------------------
 *
 * login_rules.c
 *	  Alert rules about connections that no limit rejected.
 *
 * Levels are written as enabled, warning, critical, clear, for_time.
 *
 * Who is rejected at login is not authenticated, and may claim to be of any
 * pool.  Only logins from where the pool has logged in before make an alert
 * critical.  Names that never connected make none.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

#include "alerts/cause.h"
#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "registry/known.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "server/origin.h"
#include "server/rejection_rows.h"
#include "server/rejections.h"

/* an instance whose connections ended longer ago is not missed */
#define MISSED (1 * USECS_PER_HOUR)

/* a server that rejected somebody longer ago is there again */
#define PAST (10 * USECS_PER_SEC)

/* a pool by the hash of its name */
typedef struct Named
{
	uint64		hash;
	const PgpsPoolState *pool;
} Named;

/* the rejected logins of one pool or role */
typedef struct Logins
{
	const PgpsSubject *subject;
	const PgpsPoolState *pool;	/* NULL = of a role */
	int64		by_reason[PGPS_REASONS];
	int64		seen;			/* from where it has logged in before ... */
	int64		claimed;		/* ... and from elsewhere */
	Bitmapset  *missed;			/* instances without a connection */
} Logins;

static int
compare_named(const void *a, const void *b)
{
	uint64		x = ((const Named *) a)->hash;
	uint64		y = ((const Named *) b)->hash;

	return x < y ? -1 : x > y;
}

static void *
name_pools(const PgpsSnapshot *snapshot)
{
	Named	   *named = palloc((snapshot->npools + 1) * sizeof(Named));
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPool *data = snapshot->pools[i].data;

		named[i].pool = &snapshot->pools[i];
		named[i].hash = pgps_pool_hash(NameStr(data->usename),
									   NameStr(data->datname), data->key.name);
	}
	qsort(named, snapshot->npools, sizeof(Named), compare_named);
	return named;
}

/* Whose login was it?  False if it is nobody's that we know. */
static bool
find_subject(const PgpsLook *look, const PgpsOrigin *origin, Logins *logins)
{
	Named		key = {pgps_pool_hash(origin->usename, origin->datname,
									  origin->pool)};
	const Named *named = bsearch(&key, look->prepared, look->snapshot->npools,
								 sizeof(Named), compare_named);

	if (named != NULL)
	{
		logins->pool = named->pool;
		logins->subject = pgps_make_pool_subject(named->pool->data);
		return true;
	}
	if (!pgps_is_known(pgps_role_hash(origin->usename)))
		return false;
	logins->subject = pgps_make_subject(PGPS_SCOPE_ROLE, origin->usename);
	return true;
}

/* The instance that it claims to be is missed if it has no connection. */
static void
note_instance(const PgpsLook *look, const PgpsOrigin *origin, Logins *logins)
{
	int			i;

	for (i = 0; i < logins->pool->ninstances; i++)
	{
		const PgpsInstanceState *state = logins->pool->instances[i];

		if (state->server.connections == 0 &&
			state->data->last_seen > look->now - MISSED &&
			strcmp(state->data->name, origin->instance) == 0)
			logins->missed = bms_add_member(logins->missed, i);
	}
}

static void
add_logins(PgpsLook *look, const Logins *logins)
{
	PgpsFinding found = {0};
	PgpsLevels	levels = pgps_levels(look->rule, logins->subject,
									 look->overrides);

	found.subject = logins->subject;
	found.value = logins->seen + logins->claimed;
	found.count = bms_num_members(logins->missed);
	found.details = logins;
	found.implied = PGPS_CAUSE_NOT_CONNECTED;
	if (logins->pool != NULL && logins->seen > 0 && levels.warning >= 0 &&
		logins->seen >= levels.warning &&
		(logins->pool->connections == 0 || found.count > 0))
		found.at_least = PGPS_SEVERITY_CRITICAL;
	pgps_add_finding(look, &found);
}

static void
look_at_logins(PgpsLook *look)
{
	const PgpsRejections *rejections = look->snapshot->rejections;
	List	   *all = NIL;
	ListCell   *lc;
	int			i;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];
		Logins		of = {0};
		Logins	   *logins = NULL;

		if (pgps_rejecter(row->origin.reason) != PGPS_AT_LOGIN ||
			!find_subject(look, &row->origin, &of) ||
			row->last_rejected <= look->now -
			pgps_levels(look->rule, of.subject, look->overrides).for_time)
			continue;
		foreach(lc, all)
		{
			Logins	   *other = lfirst(lc);

			if (memcmp(other->subject, of.subject, sizeof(PgpsSubject)) == 0)
				logins = other;
		}
		if (logins == NULL)
		{
			logins = palloc(sizeof(Logins));
			*logins = of;
			all = lappend(all, logins);
		}
		logins->by_reason[row->origin.reason] += row->count;
		if (row->origin.claimed)
			logins->claimed += row->count;
		else
		{
			logins->seen += row->count;
			if (logins->pool != NULL)
				note_instance(look, &row->origin, logins);
		}
	}
	foreach(lc, all)
		add_logins(look, lfirst(lc));
}

static void
say_logins(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	const Logins *logins = found->details;
	int			most = 0;
	int			reason;

	for (reason = 1; reason < PGPS_REASONS; reason++)
	{
		if (logins->by_reason[reason] > logins->by_reason[most])
			most = reason;
	}
	appendStringInfo(text, "%s rejected in the last %s, most by %s",
					 pgps_count_text(found->value, "login"),
					 pgps_duration_text(found->levels.for_time),
					 pgps_reason_name(most));
	if (logins->seen == 0)
		appendStringInfoString(text, ", from addresses not seen before");
	else if (logins->pool != NULL && logins->pool->connections == 0)
		appendStringInfoString(text, "; it has no connection");
	else if (found->count > 0)
		appendStringInfo(text, "; %d of %s cannot log in", found->count,
						 pgps_count_text(logins->pool->ninstances, "instance"));
}

const PgpsRule pgps_rule_logins_rejected = {
	.name = "logins_rejected",
	.unit = "logins",
	.windowed = true,
	.levels = {true, 5, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.description = "Logins rejected by password, pg_hba.conf, a name that does not exist and the like, within for_time; critical when the pool, or an instance that was here within an hour, has no connection",
	.hint = "See reason and sqlstate in rejections: was a password, a name or pg_hba.conf changed?",
	.prepare = name_pools,
	.look = look_at_logins,
	.say = say_logins
};

static bool
is_unavailable(const PgpsRejection *row)
{
	return pgps_rejecter(row->origin.reason) == PGPS_UNAVAILABLE &&
		row->origin.reason != PGPS_REASON_HOT_STANDBY_OFF;
}

/* Since when has nobody got in?  Rows are of a minute each, oldest first. */
static void
look_at_unavailable(PgpsLook *look)
{
	const PgpsRejections *rejections = look->snapshot->rejections;
	PgpsFinding found = {0};
	TimestampTz last = 0;
	int			i;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];

		if (!is_unavailable(row))
			continue;
		if (last == 0 || row->first_rejected > last + USECS_PER_MINUTE)
			found.since = row->first_rejected;
		last = Max(last, row->last_rejected);
	}
	if (last == 0 || last <= look->now - PAST)
		return;
	found.subject = pgps_make_subject(PGPS_SCOPE_SERVER, NULL);
	found.value = pgps_seconds_since(look, found.since);
	pgps_add_finding(look, &found);
}

static void
say_unavailable(StringInfo text, const PgpsLook *look,
				const PgpsFinding *found)
{
	appendStringInfo(text, "starting or stopping, rejects connections for %s",
					 pgps_duration_text(look->now - found->since));
}

const PgpsRule pgps_rule_unavailable = {
	.name = "unavailable",
	.unit = "s",
	.levels = {true, 30, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "Connections are rejected because the server starts, stops or recovers, the last one within 10 s",
	.hint = "See the server log. A smart shutdown waits until all sessions have ended.",
	.look = look_at_unavailable,
	.say = say_unavailable
};
