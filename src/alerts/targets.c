/*-------------------------------------------------------------------------
 *
 * targets.c
 *	  What alerts are about, and whether a pattern means it.
 *
 * Pure: no shared memory, no lock, no clock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "alerts/overrides.h"
#include "analysis/budget.h"
#include "base/text.h"
#include "registry/patterns.h"
#include "registry/peaks.h"
#include "registry/registry.h"

#define SHORT_NAME 24

/* "name" is that of the role, database or pooler */
PgpsSubject *
pgps_make_subject(PgpsScope scope, const char *name)
{
	PgpsSubject *subject = palloc0(sizeof(PgpsSubject));

	subject->scope = scope;
	if (scope == PGPS_SCOPE_ROLE)
		namestrcpy(&subject->usename, name);
	else if (scope == PGPS_SCOPE_DATABASE)
		namestrcpy(&subject->datname, name);
	else if (scope == PGPS_SCOPE_POOLER)
		strlcpy(subject->pool, name, sizeof(subject->pool));
	return subject;
}

PgpsSubject *
pgps_make_pool_subject(const PgpsPool *pool)
{
	PgpsSubject *subject = palloc0(sizeof(PgpsSubject));

	subject->scope = PGPS_SCOPE_POOL;
	subject->roleid = pool->key.roleid;
	subject->dbid = pool->key.dbid;
	strlcpy(subject->pool, pool->key.name, sizeof(subject->pool));
	subject->usename = pool->usename;
	subject->datname = pool->datname;
	return subject;
}

/* By what a subject is known, for hash tables */
void
pgps_subject_key(PgpsSubjectKey *key, const PgpsSubject *subject)
{
	StaticAssertStmt(sizeof(PgpsSubjectKey) ==
					 sizeof(PgpsScope) + 2 * sizeof(Oid) + NAMEDATALEN,
					 "a key has no padding");
	memset(key, 0, sizeof(PgpsSubjectKey));
	key->scope = subject->scope;
	if (subject->scope == PGPS_SCOPE_POOL)
	{
		key->roleid = subject->roleid;
		key->dbid = subject->dbid;
	}
	if (subject->scope == PGPS_SCOPE_ROLE)
		strlcpy(key->name, NameStr(subject->usename), NAMEDATALEN);
	else if (subject->scope == PGPS_SCOPE_DATABASE)
		strlcpy(key->name, NameStr(subject->datname), NAMEDATALEN);
	else
		strlcpy(key->name, subject->pool, NAMEDATALEN);
}

/* A name as it stands in a sentence: at most SHORT_NAME bytes of it */
const char *
pgps_short_name(const char *name)
{
	if (strlen(name) <= SHORT_NAME)
		return name;
	return psprintf("%.*s~", SHORT_NAME - 1, name);
}

/* The same of host:pid, of which the end distinguishes two processes */
const char *
pgps_short_instance(const char *instance)
{
	Size		len = strlen(instance);

	if (len <= SHORT_NAME)
		return instance;
	return psprintf("~%s", instance + len - (SHORT_NAME - 1));
}

/* "orders on shop", "role php", "server" */
char *
pgps_subject_text(const PgpsSubject *subject)
{
	char		name[NAMEDATALEN];

	if (subject->scope == PGPS_SCOPE_SERVER)
		return pstrdup("server");
	pgps_clean_text(name, sizeof(name),
					subject->scope == PGPS_SCOPE_POOLER ? subject->pool :
					subject->scope == PGPS_SCOPE_ROLE ?
					NameStr(subject->usename) : NameStr(subject->datname));
	if (subject->scope == PGPS_SCOPE_POOL)
		return psprintf("%s on %s", pgps_short_name(subject->pool),
						pgps_short_name(name));
	return psprintf("%s %s", pgps_scope_name(subject->scope),
					pgps_short_name(name));
}

/* Of a role or database that is meant, its pools are meant, too. */
bool
pgps_target_matches(const PgpsTarget *target, const PgpsSubject *subject)
{
	if (subject->scope == PGPS_SCOPE_POOL)
		return pgps_target_means_pool(target, subject->pool,
									  NameStr(subject->usename),
									  NameStr(subject->datname));
	if (target->scope == PGPS_SCOPE_POOL)
		return target->name == NULL;
	if (target->scope != subject->scope)
		return false;
	switch (target->scope)
	{
		case PGPS_SCOPE_POOLER:
			return pgps_glob_matches(target->name, subject->pool);
		case PGPS_SCOPE_ROLE:
			return pgps_glob_matches(target->name, NameStr(subject->usename));
		case PGPS_SCOPE_DATABASE:
			return pgps_glob_matches(target->name, NameStr(subject->datname));
		default:
			return true;
	}
}
