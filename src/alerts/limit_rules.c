/*-------------------------------------------------------------------------
 *
 * limit_rules.c
 *	  Alert rules about the limits of the server, its roles, databases and
 *	  pools.
 *
 * Levels are written as enabled, warning, critical, clear, for_time.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "alerts/findings.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/budget.h"
#include "analysis/commitments.h"
#include "analysis/limited.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "base/table.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/origin.h"
#include "server/rejection_rows.h"
#include "server/rejections.h"

/* a limit of which more is free, and more than one, holds nobody up any more */
#define FREE_PERCENT 30

/* what was rejected by one limit */
typedef struct Rejecter
{
	PgpsSubjectKey key;
	const PgpsSubject *subject;
	TimestampTz since;			/* older ones do not count any more */
	uint64		count;
} Rejecter;

/* A pool that pool_limits rejects: by the names that it connected with */
static const PgpsSubject *
subject_of_pool(const PgpsLook *look, const PgpsOrigin *origin)
{
	PgpsSubject *subject;
	int			i;

	for (i = 0; i < look->snapshot->npools; i++)
	{
		const PgpsPool *pool = look->snapshot->pools[i].data;

		if (strcmp(pool->key.name, origin->pool) == 0 &&
			strcmp(NameStr(pool->usename), origin->usename) == 0 &&
			strcmp(NameStr(pool->datname), origin->datname) == 0)
			return pgps_make_pool_subject(pool);
	}

	/* there never was one */
	subject = pgps_make_subject(PGPS_SCOPE_POOL, origin->pool);
	strlcpy(subject->pool, origin->pool, sizeof(subject->pool));
	strlcpy(NameStr(subject->usename), origin->usename, NAMEDATALEN);
	strlcpy(NameStr(subject->datname), origin->datname, NAMEDATALEN);
	return subject;
}

/* By which limit? */
static const PgpsSubject *
subject_of(const PgpsLook *look, const PgpsOrigin *origin)
{
	switch (origin->reason)
	{
		case PGPS_REASON_ROLE:
			return pgps_make_subject(PGPS_SCOPE_ROLE, origin->usename);
		case PGPS_REASON_DATABASE:
			return pgps_make_subject(PGPS_SCOPE_DATABASE, origin->datname);
		case PGPS_REASON_POOL:
			return subject_of_pool(look, origin);
		default:
			return pgps_make_subject(PGPS_SCOPE_SERVER, NULL);
	}
}

static Rejecter *
find_rejecter(HTAB *rejecters, const PgpsLook *look, const PgpsOrigin *origin)
{
	const PgpsSubject *subject = subject_of(look, origin);
	PgpsSubjectKey key;
	Rejecter   *rejecter;
	bool		found;

	pgps_subject_key(&key, subject);
	rejecter = hash_search(rejecters, &key, HASH_ENTER, &found);
	if (!found)
	{
		rejecter->subject = subject;
		rejecter->since = look->now -
			pgps_levels(look->rule, rejecter->subject, look->overrides).for_time;
		rejecter->count = 0;
	}
	return rejecter;
}

static void
note_use(PgpsFinding *found, int used, int usable)
{
	if (usable - used > Max((int64) usable * FREE_PERCENT / 100, 1))
		return;
	found->used = used;
	found->usable = usable;
}

/* Is that limit still used up, or nearly so? */
static void
find_use(const PgpsLook *look, PgpsFinding *found)
{
	const PgpsSubject *subject = found->subject;
	const ListCell *lc;
	int			i;

	for (i = 0; subject->scope == PGPS_SCOPE_POOL && i < look->snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &look->snapshot->pools[i];
		const PgpsPoolKey *key = &pool->data->key;
		const PgpsPoolLimit *limit;

		if (key->roleid != subject->roleid || key->dbid != subject->dbid ||
			strcmp(key->name, subject->pool) != 0)
			continue;
		limit = pgps_find_pool_limit(key->name, NameStr(subject->usename),
									 NameStr(subject->datname));
		if (limit != NULL && !limit->warns)
			note_use(found, pool->connections, limit->max);
	}
	foreach(lc, look->limits)
	{
		const PgpsLimit *limit = lfirst(lc);
		const char *name = limit->scope == PGPS_SCOPE_ROLE ?
			NameStr(found->subject->usename) : NameStr(found->subject->datname);

		if (limit->scope != found->subject->scope ||
			(limit->scope != PGPS_SCOPE_SERVER &&
			 strcmp(name, NameStr(limit->name)) != 0))
			continue;
		note_use(found, limit->used, limit->usable);
	}
}

/* Nobody misses a connection that only reports. */
static void
look_at_rejections(PgpsLook *look)
{
	const PgpsRejections *rejections = look->snapshot->rejections;
	HTAB	   *rejecters = pgps_make_table("pgpool_stats rejecters", 16,
											sizeof(PgpsSubjectKey), sizeof(Rejecter));
	HASH_SEQ_STATUS all;
	Rejecter   *rejecter;
	int			i;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];

		if (pgps_rejecter(row->origin.reason) != PGPS_BY_LIMIT ||
			row->origin.reporter)
			continue;
		rejecter = find_rejecter(rejecters, look, &row->origin);
		if (row->last_rejected > rejecter->since)
			rejecter->count += row->count;
	}
	hash_seq_init(&all, rejecters);
	while ((rejecter = hash_seq_search(&all)) != NULL)
	{
		PgpsFinding found = {0};

		if (rejecter->count == 0)
			continue;
		found.subject = rejecter->subject;
		found.value = rejecter->count;
		find_use(look, &found);
		pgps_add_finding(look, &found);
	}
}

const PgpsRule pgps_rule_refused = {
	.name = "refused",
	.unit = "connections",
	.windowed = true,
	.levels = {true, 1, 1, PGPS_NO_LEVEL, 5 * USECS_PER_MINUTE},
	.description = "Connections rejected by a limit within for_time",
	.hint = "See rejections for who, and history for who held the slots then.",
	.explained = true,
	.look = look_at_rejections,
	.sentence = "%.0f connections rejected in the last %s",
	.sentence_of_one = "%.0f connection rejected in the last %s"
};

/* Is so much of a limit used that it is a warning, or critical? */
bool
pgps_is_used_up(const PgpsLook *look, const PgpsLimit *limit,
				PgpsSeverity severity)
{
	int			rule = pgps_find_rule(pgps_rule_connections.name);
	PgpsLevels	levels = pgps_levels(rule,
									 pgps_make_subject(limit->scope,
													   NameStr(limit->name)),
									 pgps_overrides_of(rule, look->all_overrides));
	double		level = severity == PGPS_SEVERITY_CRITICAL ? levels.critical :
		levels.warning;

	return limit->usable > 0 && level >= 0 &&
		100.0 * limit->used / limit->usable >= level;
}

/* How much of a limit is used */
static void
look_at_use(PgpsLook *look, PgpsScope scope, const char *name, int used,
			int usable)
{
	PgpsFinding found = {0};

	if (used == 0 || (usable < PGPS_SMALL_LIMIT && used < usable))
		return;
	found.subject = pgps_make_subject(scope, name);
	found.value = usable > 0 ? 100.0 * Min(used, usable) / usable : 100;
	found.used = used;
	found.usable = usable;
	pgps_add_finding(look, &found);
}

static void
look_at_connections(PgpsLook *look)
{
	const ListCell *lc;
	int			i;

	foreach(lc, look->limits)
	{
		const PgpsLimit *limit = lfirst(lc);

		look_at_use(look, limit->scope, NameStr(limit->name), limit->used,
					limit->usable);
	}
	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &look->snapshot->poolers[i];

		if (pooler->name[0] != '\0' && pooler->reachable &&
			pooler->clients >= 0 && pooler->max_client_conn > 0)
			look_at_use(look, PGPS_SCOPE_POOLER, pooler->name, pooler->clients,
						pooler->max_client_conn);
	}
}

/* Who has connections and may use reserved slots?  NULL = nobody */
static const char *
who_uses_reserved(const PgpsLook *look)
{
	const char *who = NULL;
	int			i;

	for (i = 0; i < look->snapshot->npools; i++)
	{
		Oid			roleid = look->snapshot->pools[i].data->key.roleid;

		if (look->snapshot->pools[i].connections == 0)
			continue;
		if (superuser_arg(roleid))
			return "pools of superusers";
		if (pgps_may_use_reserved(roleid))
			who = "pools of roles that may use them";
	}
	return who;
}

static void
say_connections(StringInfo text, const PgpsLook *look,
				const PgpsFinding *found)
{
	int			beyond = found->used - found->usable;
	const char *who;

	appendStringInfo(text, INT64_FORMAT " of %s in use",
					 Min(found->used, found->usable),
					 pgps_count_text(found->usable,
									 found->subject->scope == PGPS_SCOPE_POOLER ?
									 "client connection" : "usable connection"));
	if (beyond > 0 && found->subject->scope == PGPS_SCOPE_SERVER &&
		(who = who_uses_reserved(look)) != NULL)
		appendStringInfo(text, ", and %d of %d reserved by %s", beyond,
						 MaxConnections - found->usable, who);
}

const PgpsRule pgps_rule_connections = {
	.name = "connections",
	.unit = "percent",
	.levels = {true, 80, 90, 70, 0},
	.description = "Connections in use of what is usable; of limits below 10 only when used up",
	.hint = "See pools ORDER BY connections DESC.",
	.explained = true,
	.look = look_at_connections,
	.say = say_connections
};

static void
look_at_committed(PgpsLook *look)
{
	const ListCell *lc;

	foreach(lc, look->limits)
	{
		const PgpsLimit *limit = lfirst(lc);
		PgpsFinding found = {0};

		if (limit->committed.now <= limit->usable)
			continue;
		found.subject = pgps_make_subject(limit->scope, NameStr(limit->name));
		found.value = limit->committed.now - limit->usable;
		found.used = limit->committed.now;
		found.usable = limit->usable;
		pgps_add_finding(look, &found);
	}
}

static void
say_committed(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	appendStringInfo(text, "pools may ask for %s, %d %s usable",
					 pgps_count_text(found->used, "connection"), found->usable,
					 found->usable == 1 ? "is" : "are");
}

const PgpsRule pgps_rule_over_committed = {
	.name = "over_committed",
	.unit = "connections",
	.levels = {true, 1, PGPS_NO_LEVEL, PGPS_NO_LEVEL, USECS_PER_MINUTE},
	.description = "Connections that all pools together may ask for beyond what is usable",
	.hint = "See budget and sizing: make pools smaller, or put a pooler in between.",
	.explained = true,
	.look = look_at_committed,
	.say = say_committed
};

/* A bad entry of pool_limits is said once, when it is new. */
static void
log_bad_limits(void)
{
	static uint32 logged = 0;
	int			i;

	if (logged == pgps_pool_limits_version)
		return;
	logged = pgps_pool_limits_version;
	for (i = 0; pgps_pool_limits != NULL && i < pgps_pool_limits->count; i++)
	{
		const PgpsPoolLimit *limit = &pgps_pool_limits->limit[i];

		if (limit->error != NULL)
			ereport(LOG,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("entry \"%s\" of pgpool_stats.pool_limits has no effect",
							limit->entry),
					 errdetail("%s.", limit->error)));
	}
}

static void
look_at_pool_limits(PgpsLook *look)
{
	PgpsLimited *limited = pgps_find_limited(look->snapshot);
	int			i;

	log_bad_limits();
	for (i = 0; limited != NULL && i < look->snapshot->npools; i++)
	{
		const PgpsPoolLimit *limit = limited[i].limit;
		PgpsFinding found = {0};

		if (limit == NULL || limited[i].exempt || limited[i].connections == 0)
			continue;
		found.subject = pgps_make_pool_subject(look->snapshot->pools[i].data);
		found.value = 100.0 * limited[i].connections / Max(limit->max, 1);
		found.used = limited[i].connections;
		found.usable = limit->max;
		found.details = limit;
		pgps_add_finding(look, &found);
	}
}

static void
say_pool_limit(StringInfo text, const PgpsLook *look, const PgpsFinding *found)
{
	const PgpsPoolLimit *limit = found->details;

	appendStringInfo(text, "%s, %s", pgps_count_text(found->used, "connection"),
					 psprintf(limit->warns ? "pool_limits warns from %d on" :
							  "pool_limits allows %d and refuses more",
							  limit->max));
}

const PgpsRule pgps_rule_pool_limit = {
	.name = "pool_limit",
	.unit = "percent",
	.levels = {true, 100, PGPS_NO_LEVEL, PGPS_NO_LEVEL, 0},
	.description = "Connections of a pool, of the number in pool_limits",
	.hint = "See limits, and what its connections do in the view connections.",
	.look = look_at_pool_limits,
	.say = say_pool_limit
};
