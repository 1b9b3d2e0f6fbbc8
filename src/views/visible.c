/*-------------------------------------------------------------------------
 *
 * visible.c
 *	  What several views need: who sees what, and how it is shown.
 *
 * A role sees the rows of the roles it has the privileges of; members of
 * pg_read_all_stats see all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/text.h"
#include "views/visible.h"

bool
pgps_sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

bool
pgps_may_see(Oid roleid)
{
	return pgps_sees_all() ||
		(OidIsValid(roleid) && has_privs_of_role(GetUserId(), roleid));
}

/* The pool after "pool", or the first one, that the caller may see, or NULL */
const PgpsPoolState *
pgps_next_visible(const PgpsSnapshot *snapshot, const PgpsPoolState *pool)
{
	const PgpsPoolState *end = snapshot->pools + snapshot->npools;

	for (pool = pool ? pool + 1 : snapshot->pools; pool < end; pool++)
	{
		if (pgps_may_see(pool->data->key.roleid))
			return pool;
	}
	return NULL;
}

/*
 * Alerts of pools are seen by those who see the pool, those of poolers by
 * those who see all; those of limits by everybody, as their numbers are.
 */
bool
pgps_may_see_alert(const PgpsSubject *subject)
{
	switch (subject->scope)
	{
		case PGPS_SCOPE_POOL:
			return pgps_may_see(subject->roleid);
		case PGPS_SCOPE_POOLER:
			return pgps_sees_all();
		default:
			return true;
	}
}

/* The current names of role and database; the last known ones if dropped */
const char *
pgps_role_name(const PgpsPool *pool)
{
	char	   *name = GetUserNameFromId(pool->key.roleid, true);

	return name ? name : NameStr(pool->usename);
}

const char *
pgps_database_name(const PgpsPool *pool)
{
	char	   *name = OidIsValid(pool->key.dbid) ?
		get_database_name(pool->key.dbid) : NULL;

	return name ? name : NameStr(pool->datname);
}

const char *
pgps_source_name(PgpsSource source)
{
	static const char *const names[] = {
		"discovery", "label", "pooler", "report"
	};

	return names[source];
}

/*
 * application_name in the reader's encoding; what cannot be converted is "?"
 */
char *
pgps_printable(const char *text)
{
	char		clean[NAMEDATALEN];

	pgps_clean_text(clean, sizeof(clean), text);
	return pstrdup(clean);
}

/* Add a sentence to some notes. */
void
pgps_note(StringInfo notes, const char *text)
{
	appendStringInfo(notes, "%s%s", notes->len > 0 ? "; " : "", text);
}

/* How one instance is configured: "5+10", "20", "unlimited", "?" */
static char *
instance_config(const PgpsValues *shown)
{
	if (pgps_get(shown, PGPS_UNLIMITED, 0) == 1)
		return "unlimited";
	if (pgps_get(shown, PGPS_MAX_OVERFLOW, 0) > 0 &&
		pgps_known(shown, PGPS_POOL_SIZE))
		return psprintf(INT64_FORMAT "+" INT64_FORMAT,
						shown->value[PGPS_POOL_SIZE],
						shown->value[PGPS_MAX_OVERFLOW]);
	if (pgps_known(shown, PGPS_MAX_SIZE))
		return psprintf(INT64_FORMAT, shown->value[PGPS_MAX_SIZE]);
	return "?";
}

/*
 * How a pool's live instances are configured: "9 x 5+10, 3 x 20", the most
 * frequent first.
 */
const char *
pgps_pool_config(const PgpsPoolState *pool)
{
	StringInfoData text;
	char	  **kinds = palloc(Max(pool->ninstances, 1) * sizeof(char *));
	int		   *counts = palloc0(Max(pool->ninstances, 1) * sizeof(int));
	int			n = 0,
				i,
				j;

	initStringInfo(&text);
	for (i = 0; i < pool->ninstances; i++)
	{
		char	   *kind;

		if (!pool->instances[i]->counts)
			continue;
		kind = instance_config(&pool->instances[i]->now.shown);
		for (j = 0; j < n && strcmp(kinds[j], kind) != 0; j++)
			;
		if (j == n)
			kinds[n++] = kind;
		counts[j]++;
	}

	for (i = 0; i < n; i++)
	{
		int			most = 0;

		for (j = 1; j < n; j++)
		{
			if (counts[j] > counts[most])
				most = j;
		}
		appendStringInfo(&text, "%s%d x %s", i > 0 ? ", " : "",
						 counts[most], kinds[most]);
		counts[most] = 0;
	}
	return text.data;
}

/*
 * How many connections of a pool were rejected.  A rejected connection does
 * not have the label of ALTER ROLE yet, so that label is looked up here.
 */
uint64
pgps_pool_rejected_by(const PgpsPoolState *pool,
					  const PgpsRejections *rejections, PgpsRejecter by)
{
	const char *role = pgps_role_name(pool->data);
	const char *database = pgps_database_name(pool->data);
	uint64		count = pgps_rejected_by(rejections,
										 pgps_pool_hash(role, database,
														pool->data->key.name),
										 by).count;
	uint64		unlabelled = pgps_rejected_by(rejections,
											  pgps_unlabelled_hash(role, database),
											  by).count;
	char	   *label;

	if (unlabelled == 0)
		return count;
	label = pgps_role_label(pool->data->key.roleid, pool->data->key.dbid);
	if (label != NULL && strcmp(label, pool->data->key.name) == 0)
		count += unlabelled;
	return count;
}

/* By a limit */
uint64
pgps_pool_rejected(const PgpsPoolState *pool, const PgpsRejections *rejections)
{
	return pgps_pool_rejected_by(pool, rejections, PGPS_BY_LIMIT);
}

uint64
pgps_instance_rejected(const PgpsInstanceState *state,
					   const PgpsRejections *rejections)
{
	const PgpsPool *pool = state->pool->data;

	return pgps_rejected(rejections,
						 pgps_instance_hash(pgps_role_name(pool),
											pgps_database_name(pool),
											pool->key.name,
											state->data->name)).count;
}
