/*-------------------------------------------------------------------------
 *
 * pool_limit.c
 *	  A connection that pool_limits refuses.
 *
 * Asked only for, by an administrator: the one place where we keep somebody out.
 * The client is authenticated by then, and a pool is of one role: what it is told
 * of the pool's other connections is its own role's.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "registry/registry.h"
#include "server/pool_limit.h"

/* Is it no role that gets in when all others do not?  Looks into catalogs. */
bool
pgps_role_is_limited(Oid roleid)
{
	return !superuser_arg(roleid) && !pgps_is_for_emergencies(roleid);
}

/* The limit that may refuse this session, which connects; NULL if there is none */
const PgpsPoolLimit *
pgps_limit_of(const PgpsIdentity *identity)
{
	const PgpsPoolLimit *limit;

	if (identity->not_limited)
		return NULL;
	limit = pgps_find_pool_limit(identity->pool, NameStr(identity->usename),
								 NameStr(identity->datname));
	if (limit == NULL || limit->warns || !pgps_role_is_limited(identity->roleid))
		return NULL;
	return limit;
}

/* "web-1:4711 has 3 (1 idle, 2 idle in transaction)" */
static void
append_holder(StringInfo text, const PgpsInstanceUse *holder)
{
	int			active = holder->connections - holder->idle - holder->idle_in_xact;
	const char *between = "";

	appendStringInfo(text, "%s has %d (", holder->instance, holder->connections);
	if (active > 0)
	{
		appendStringInfo(text, "%d active", active);
		between = ", ";
	}
	if (holder->idle > 0)
	{
		appendStringInfo(text, "%s%d idle", between, holder->idle);
		between = ", ";
	}
	if (holder->idle_in_xact > 0)
		appendStringInfo(text, "%s%d idle in transaction", between,
						 holder->idle_in_xact);
	appendStringInfoChar(text, ')');
}

static char *
holders_text(const PgpsPoolUse *found, int max)
{
	StringInfoData text;
	int			i;

	initStringInfo(&text);
	appendStringInfo(&text, "It may have %d", max);
	for (i = 0; i < found->count; i++)
	{
		appendStringInfoString(&text, i == 0 ? ": " : ", ");
		append_holder(&text, &found->holders[i]);
	}
	if (found->others > 0)
		appendStringInfo(&text, ", other instances have %d", found->others);
	appendStringInfoChar(&text, '.');
	return text.data;
}

/* Holds no lock.  Which entry it was is the administrator's affair. */
void
pgps_refuse_connection(const PgpsIdentity *identity, const PgpsPoolLimit *limit)
{
	PgpsPoolKey key = {
		.roleid = identity->roleid,
		.dbid = identity->dbid
	};
	PgpsPoolUse found;
	const char *text;

	memcpy(key.name, identity->pool, sizeof(key.name));
	pgps_find_pool_use(&key, &found);
	text = holders_text(&found, limit->max);

	ereport(FATAL,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("too many connections for pool \"%s\"", identity->pool),
			 errdetail("%s", text),
			 errdetail_log("%s This is entry \"%s\" of pgpool_stats.pool_limits.",
						   text, limit->entry),
			 errhint("Close some of its connections, let its processes open fewer, or have pgpool_stats.pool_limits raised.")));
}
