/*-------------------------------------------------------------------------
 *
 * patterns.c
 *	  How a text names pools, limits and poolers.
 *
 * Pure: no shared memory, no lock, no clock.  Targets are written in the
 * settings alert_rules and pool_limits, and as the argument of silence():
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

#include "parser/scansup.h"

#include "base/text.h"
#include "registry/patterns.h"

/* A copy without spaces around it */
char *
pgps_trimmed(const char *string, Size len)
{
	for (; len > 0 && scanner_isspace(*string); len--)
		string++;

	while (len > 0 && scanner_isspace(string[len - 1]))
		len--;
	return pnstrdup(string, len);
}

/*
 * Behind one character; one of UTF-8 may have several bytes.  Names may be in
 * any encoding: what does not look like UTF-8 is a character a byte.
 */
static const char *
after_character(const char *string)
{
	if ((unsigned char) *string++ >= 0xC0)
	{
		while (((unsigned char) *string & 0xC0) == 0x80)
			string++;
	}
	return string;
}

/*
 * "*" stands for any text, "?" for any character; case matters.  Only the
 * last "*" ever has to take more: the time is bounded by the product of the
 * lengths, whatever somebody wrote.
 */
bool
pgps_glob_matches(const char *glob, const char *string)
{
	const char *after_star = NULL;
	const char *taken = NULL;

	while (*string != '\0')
	{
		if (*glob == '*')
		{
			after_star = ++glob;
			taken = string;
		}
		else if (*glob == '?')
		{
			glob++;
			string = after_character(string);
		}
		else if (*glob == *string)
		{
			glob++;
			string++;
		}
		else if (after_star != NULL)
		{
			glob = after_star;
			string = ++taken;
		}
		else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* A pool's name, as that of a pool is kept: it is found by what somebody wrote. */
static const char *
pool_name(const char *string, Size len)
{
	char	   *name = palloc(len + 1);
	char	   *raw = pnstrdup(string, len);

	pgps_clean_text(name, len + 1, raw);
	pfree(raw);
	return name;
}

/* "text" is kept: it must live as long as the target. */
void
pgps_parse_target(PgpsTarget *target, const char *string)
{
	const char *slash = strchr(string, '/');

	memset(target, 0, sizeof(PgpsTarget));
	target->scope = PGPS_SCOPE_POOL;
	if (strcmp(string, "*") == 0)
		return;
	if (strcmp(string, "server") == 0)
		target->scope = PGPS_SCOPE_SERVER;
	else if (strncmp(string, "role/", 5) == 0)
	{
		target->scope = PGPS_SCOPE_ROLE;
		target->name = string + 5;
	}
	else if (strncmp(string, "database/", 9) == 0)
	{
		target->scope = PGPS_SCOPE_DATABASE;
		target->name = string + 9;
	}
	else if (strncmp(string, "pooler/", 7) == 0)
	{
		target->scope = PGPS_SCOPE_POOLER;
		target->name = string + 7;
	}
	else if (slash != NULL)
	{
		target->name = pool_name(string, slash - string);
		target->database = slash + 1;
	}
	else
		target->name = pool_name(string, strlen(string));
}

/*
 * Does it mean a pool, or all pools of its role or database?  Neither raises nor
 * allocates: it is asked while a connection starts.
 */
bool
pgps_target_means_pool(const PgpsTarget *target, const char *pool,
					   const char *usename, const char *datname)
{
	switch (target->scope)
	{
		case PGPS_SCOPE_POOL:
			return (target->name == NULL ||
					pgps_glob_matches(target->name, pool)) &&
				(target->database == NULL ||
				 pgps_glob_matches(target->database, datname));
		case PGPS_SCOPE_ROLE:
			return pgps_glob_matches(target->name, usename);
		case PGPS_SCOPE_DATABASE:
			return pgps_glob_matches(target->name, datname);
		default:
			return false;
	}
}
