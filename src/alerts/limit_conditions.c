/*-------------------------------------------------------------------------
 *
 * limit_conditions.c
 *	  What is wrong with the server and its limits right now, by the alert
 *	  rules.
 *
 * Collector only, inside a transaction: without a database, but with the
 * shared catalogs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alerts/conditions.h"
#include "alerts/trends.h"
#include "analysis/budget.h"
#include "base/compat.h"

/* who takes something of a limit */
typedef struct LimitUser
{
	Oid			oid;			/* role or database */
	int			connections;
} LimitUser;

/* refusals by one limit */
typedef struct Refused
{
	PgpsSubject subject;
	int64		count;
} Refused;

static void
set_subject(PgpsSubject *subject, PgpsScope scope, const char *name)
{
	memset(subject, 0, sizeof(PgpsSubject));
	subject->scope = scope;
	if (scope == PGPS_SCOPE_ROLE)
		namestrcpy(&subject->usename, name);
	else if (scope == PGPS_SCOPE_DATABASE)
		namestrcpy(&subject->datname, name);
	else if (scope == PGPS_SCOPE_POOLER)
		strlcpy(subject->pool, name, sizeof(subject->pool));
}

/* "role php", "server" */
static char *
subject_text(const PgpsSubject *subject)
{
	char		name[NAMEDATALEN];

	if (subject->scope == PGPS_SCOPE_SERVER)
		return pstrdup("server");
	pgps_clean_text(name, sizeof(name),
					subject->scope == PGPS_SCOPE_POOLER ? subject->pool :
					subject->scope == PGPS_SCOPE_ROLE ?
					NameStr(subject->usename) : NameStr(subject->datname));
	return psprintf("%s %s", pgps_scope_name(subject->scope), name);
}

/* In a row of rejections: by which limit? */
static void
find_refuser(PgpsSubject *subject, const PgpsOrigin *origin)
{
	if (origin->reason == PGPS_REASON_ROLE)
		set_subject(subject, PGPS_SCOPE_ROLE, origin->usename);
	else if (origin->reason == PGPS_REASON_DATABASE)
		set_subject(subject, PGPS_SCOPE_DATABASE, origin->datname);
	else
		set_subject(subject, PGPS_SCOPE_SERVER, "");
}

static void
look_at_refusals(PgpsWatch *watch)
{
	const PgpsRejections *rejections = watch->snapshot->rejections;
	TimestampTz now = watch->snapshot->taken_at;
	Refused    *refused = palloc(Max(rejections->nrejections, 1) *
								 sizeof(Refused));
	int			n = 0;
	int			i,
				j;

	for (i = 0; i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];
		PgpsSubject subject;
		PgpsLevels	levels;

		find_refuser(&subject, &row->origin);
		levels = pgps_levels(PGPS_RULE_REFUSED, &subject,
							 watch->overrides[PGPS_RULE_REFUSED]);
		if (row->last_rejected <= now - levels.for_time)
			continue;
		for (j = 0; j < n; j++)
		{
			if (memcmp(&refused[j].subject, &subject, sizeof(subject)) == 0)
				break;
		}
		if (j == n)
		{
			refused[n].subject = subject;
			refused[n++].count = 0;
		}
		refused[j].count += row->count;
	}

	for (j = 0; j < n; j++)
	{
		const PgpsSubject *subject = &refused[j].subject;
		PgpsCondition *condition = pgps_add_condition(watch,
													  PGPS_RULE_REFUSED,
													  subject,
													  refused[j].count,
													  PGPS_SEVERITY_NONE);

		if (condition != NULL)
			snprintf(condition->message, PGPS_MESSAGE_LEN,
					 "%s: " INT64_FORMAT " connections refused in the last %s",
					 subject_text(subject), refused[j].count,
					 pgps_duration_text(condition->levels.for_time));
	}
}

/* How much of a limit is used */
static void
look_at_use(PgpsWatch *watch, const PgpsSubject *subject, int used, int usable,
			const char *what)
{
	PgpsCondition *condition;

	if (used == 0 || (usable < PGPS_SMALL_LIMIT && used < usable))
		return;
	condition = pgps_add_condition(watch, PGPS_RULE_CONNECTIONS, subject,
								   usable > 0 ? 100.0 * used / usable : 100,
								   PGPS_SEVERITY_NONE);
	if (condition != NULL)
		snprintf(condition->message, PGPS_MESSAGE_LEN, "%s: %d of %d %s in use",
				 subject_text(subject), used, usable, what);
}

/* One limit: what is used of it, and what the pools may ask for */
static void
look_at_limit(PgpsWatch *watch, const PgpsLimit *limit,
			  const PgpsCommitments *commitments)
{
	PgpsCommitted committed = pgps_committed(commitments, limit->scope,
											 limit->oid);
	PgpsSubject subject;
	PgpsCondition *condition;

	set_subject(&subject, limit->scope, NameStr(limit->name));
	look_at_use(watch, &subject, limit->used, limit->usable,
				"usable connections");
	if (committed.now > limit->usable)
	{
		condition = pgps_add_condition(watch, PGPS_RULE_OVER_COMMITTED,
									   &subject,
									   committed.now - limit->usable,
									   PGPS_SEVERITY_NONE);
		if (condition != NULL)
			snprintf(condition->message, PGPS_MESSAGE_LEN,
					 "%s: pools may ask for " INT64_FORMAT " connections, %d are usable",
					 subject_text(&subject), committed.now, limit->usable);
	}
}

static int
compare_users(const void *a, const void *b)
{
	Oid			x = ((const LimitUser *) a)->oid;
	Oid			y = ((const LimitUser *) b)->oid;

	return x < y ? -1 : x > y;
}

/*
 * The limits of the roles or databases that have a connection or a pool, which
 * may ask for some.  They are looked up one by one: a catalog may hold
 * thousands.
 */
static void
look_at_own_limits(PgpsWatch *watch, PgpsScope scope,
				   const PgpsCommitments *commitments)
{
	const PgpsSnapshot *snapshot = watch->snapshot;
	int			nbackends = snapshot->nbackends;
	LimitUser  *users = palloc((nbackends + snapshot->npools + 1) *
							   sizeof(LimitUser));
	int			n = 0;
	int			first,
				i;

	for (i = 0; i < nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		users[n].oid = scope == PGPS_SCOPE_ROLE ? backend->roleid :
			backend->dbid;
		users[n++].connections = 1;
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolKey *key = &snapshot->pools[i].data->key;

		users[n].oid = scope == PGPS_SCOPE_ROLE ? key->roleid : key->dbid;
		users[n++].connections = 0;
	}
	qsort(users, n, sizeof(LimitUser), compare_users);

	for (first = 0; first < n; first = i)
	{
		PgpsLimit	limit;
		int			used = 0;
		bool		exists;

		for (i = first; i < n && users[i].oid == users[first].oid; i++)
			used += users[i].connections;
		exists = scope == PGPS_SCOPE_ROLE ?
			pgps_role_limit(users[first].oid, &limit) :
			pgps_database_limit(users[first].oid, &limit);
		if (!exists || limit.conn_limit < 0)
			continue;
		limit.used = used;
		look_at_limit(watch, &limit, commitments);
	}
	pfree(users);
}

/* Poolers that are polled: do they answer, and have they room for clients? */
static void
look_at_poolers(PgpsWatch *watch)
{
	const PgpsSnapshot *snapshot = watch->snapshot;
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
	{
		const PgpsPooler *pooler = &snapshot->poolers[i];
		int64		unheard = snapshot->taken_at -
			Max(pooler->last_poll, snapshot->info.started_at);
		PgpsSubject subject;
		PgpsCondition *condition;

		if (pooler->name[0] == '\0')
			continue;
		set_subject(&subject, PGPS_SCOPE_POOLER, pooler->name);
		if (pooler->reachable)
		{
			if (pooler->clients >= 0 && pooler->max_client_conn > 0)
				look_at_use(watch, &subject, pooler->clients,
							pooler->max_client_conn, "client connections");
			continue;
		}
		if (pooler->error[0] == '\0')
			continue;			/* not asked yet */
		condition = pgps_add_condition(watch, PGPS_RULE_POOLER_DOWN, &subject,
									   unheard / (double) USECS_PER_SEC,
									   PGPS_SEVERITY_NONE);
		if (condition != NULL)
		{
			condition->since = pooler->last_poll;
			snprintf(condition->message, PGPS_MESSAGE_LEN,
					 "%s: no answer for %s (%s)", subject_text(&subject),
					 pgps_duration_text(unheard), pooler->error);
		}
	}
}

void
pgps_look_at_limits(PgpsWatch *watch)
{
	const PgpsSnapshot *snapshot = watch->snapshot;
	PgpsCommitments *commitments = pgps_commitments(snapshot, NIL);
	PgpsLimit	server = {0};
	PgpsSubject subject;
	PgpsLevels	levels;
	PgpsCondition *condition;
	int64		overflowed;

	look_at_refusals(watch);
	look_at_poolers(watch);

	server.scope = PGPS_SCOPE_SERVER;
	server.usable = pgps_server_usable(InvalidOid);
	server.used = pgps_client_processes();
	look_at_limit(watch, &server, commitments);
	look_at_own_limits(watch, PGPS_SCOPE_DATABASE, commitments);
	look_at_own_limits(watch, PGPS_SCOPE_ROLE, commitments);

	set_subject(&subject, PGPS_SCOPE_SERVER, "");
	levels = pgps_levels(PGPS_RULE_REGISTRY_FULL, &subject,
						 watch->overrides[PGPS_RULE_REGISTRY_FULL]);
	overflowed = pgps_overflow_rise(snapshot->taken_at - levels.for_time);
	if (overflowed > 0)
	{
		condition = pgps_add_condition(watch, PGPS_RULE_REGISTRY_FULL,
									   &subject, overflowed,
									   PGPS_SEVERITY_NONE);
		if (condition != NULL)
			snprintf(condition->message, PGPS_MESSAGE_LEN,
					 "registry full: " INT64_FORMAT " reports or connections without a row in the last %s",
					 overflowed, pgps_duration_text(levels.for_time));
	}
}
