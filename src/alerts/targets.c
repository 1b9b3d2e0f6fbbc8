/*-------------------------------------------------------------------------
 *
 * targets.c
 *	  What alerts are about, and how a pattern names it.
 *
 * Pure: no shared memory, no lock, no clock.  Targets are written in the
 * setting alert_rules and as the argument of silence():
 *
 *	  *, pool[/database], role/name, database/name, pooler/name or server
 *
 * where pool and names are globs (*, ?).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "alerts/overrides.h"
#include "analysis/budget.h"

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

/*
 * Behind one character; one of UTF-8 may have several bytes.  Names may be in
 * any encoding: what does not look like UTF-8 is a character a byte.
 */
static const char *
after_character(const char *text)
{
	if ((unsigned char) *text++ >= 0xC0)
	{
		while (((unsigned char) *text & 0xC0) == 0x80)
			text++;
	}
	return text;
}

/*
 * "*" stands for any text, "?" for any character; case matters.  Only the
 * last "*" ever has to take more: the time is bounded by the product of the
 * lengths, whatever somebody wrote.
 */
static bool
glob_matches(const char *glob, const char *text)
{
	const char *after_star = NULL;
	const char *taken = NULL;

	while (*text != '\0')
	{
		if (*glob == '*')
		{
			after_star = ++glob;
			taken = text;
		}
		else if (*glob == '?')
		{
			glob++;
			text = after_character(text);
		}
		else if (*glob == *text)
		{
			glob++;
			text++;
		}
		else if (after_star != NULL)
		{
			glob = after_star;
			text = ++taken;
		}
		else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* "text" is kept: it must live as long as the target. */
void
pgps_parse_target(PgpsTarget *target, const char *text)
{
	const char *slash = strchr(text, '/');

	memset(target, 0, sizeof(PgpsTarget));
	target->scope = PGPS_SCOPE_POOL;
	if (strcmp(text, "*") == 0)
		return;
	if (strcmp(text, "server") == 0)
		target->scope = PGPS_SCOPE_SERVER;
	else if (strncmp(text, "role/", 5) == 0)
	{
		target->scope = PGPS_SCOPE_ROLE;
		target->name = text +5;
	}
	else if (strncmp(text, "database/", 9) == 0)
	{
		target->scope = PGPS_SCOPE_DATABASE;
		target->name = text +9;
	}
	else if (strncmp(text, "pooler/", 7) == 0)
	{
		target->scope = PGPS_SCOPE_POOLER;
		target->name = text +7;
	}
	else if (slash != NULL)
	{
		target->name = pnstrdup(text, slash - text);
		target->database = slash + 1;
	}
	else
		target->name = text;
}

/* Of a role or database that is meant, its pools are meant, too. */
bool
pgps_target_matches(const PgpsTarget *target, const PgpsSubject *subject)
{
	if (target->scope == PGPS_SCOPE_POOL)
	{
		if (target->name == NULL)
			return true;
		return subject->scope == PGPS_SCOPE_POOL &&
			glob_matches(target->name, subject->pool) &&
			(target->database == NULL ||
			 glob_matches(target->database, NameStr(subject->datname)));
	}
	if (target->scope == PGPS_SCOPE_SERVER)
		return subject->scope == PGPS_SCOPE_SERVER;
	if (target->scope == PGPS_SCOPE_POOLER)
		return subject->scope == PGPS_SCOPE_POOLER &&
			glob_matches(target->name, subject->pool);
	if (subject->scope != target->scope && subject->scope != PGPS_SCOPE_POOL)
		return false;
	return glob_matches(target->name, target->scope == PGPS_SCOPE_ROLE ?
						NameStr(subject->usename) : NameStr(subject->datname));
}
