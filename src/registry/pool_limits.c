/*-------------------------------------------------------------------------
 *
 * pool_limits.c
 *	  The setting pgpool_stats.pool_limits, and what it finds in the registry.
 *
 * A list of entries, of which the last one that means a pool wins:
 *
 *	  target: N			refuse connections beyond N
 *	  target: warn N	only raise an alert
 *
 * with the targets of alert_rules that mean pools.  The number is for each
 * pool, database and role by itself.  An entry that cannot be understood has no
 * effect, and the view limits says why: a reload never fails because of it.
 *
 * The list is taken apart when the setting changes, in one piece that the setting
 * owns: a connection that starts neither allocates nor parses.  It is counted
 * under the registry's lock, held exclusively, by whoever joins: so there is no
 * second counter that could be wrong after a crash.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "registry/backends.h"
#include "registry/bindings.h"
#include "registry/entries.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "registry/space.h"

#define MOST_CONNECTIONS 262143

const PgpsPoolLimits *pgps_pool_limits = NULL;
uint32		pgps_pool_limits_version = 0;

/*-------------------------------------------------------------------------
 * The setting
 *-------------------------------------------------------------------------
 */

/* "N" or "warn N"; returns what is wrong with it, or NULL. */
static const char *
parse_number(PgpsPoolLimit *limit, const char *string)
{
	const char *warn = "warn";
	char	   *end;
	long		max;

	if (strncmp(string, warn, strlen(warn)) == 0)
	{
		limit->warns = true;
		string += strlen(warn);

		if (*string != ' ' && *string != '\t' && *string != '\n')
			return "expected a number, or warn and a number";
	}
	errno = 0;
	max = strtol(string, &end, 10);
	if (end == string || *end != '\0')
		return "expected a number, or warn and a number";
	if (errno != 0 || max < 0 || max > MOST_CONNECTIONS)
		return psprintf("expected a number from 0 to %d", MOST_CONNECTIONS);
	limit->max = max;
	return NULL;
}

static PgpsPoolLimit *
parse_entry(char *text)
{
	PgpsPoolLimit *limit = palloc0(sizeof(PgpsPoolLimit));
	const char *colon = strrchr(text, ':');
	char	   *target;

	limit->entry = text;

	if (colon == NULL)
	{
		limit->error = "expected target: number, or target: warn number";
		return limit;
	}
	target = pgps_trimmed(text, colon - text);
	pgps_parse_target(&limit->what, target);
	if (target[0] == '\0')
		limit->error = "nothing stands before \":\"";
	else if (limit->what.scope == PGPS_SCOPE_SERVER ||
			 limit->what.scope == PGPS_SCOPE_POOLER)
		limit->error = "expected pool[/database], role/name or database/name";
	else
		limit->error = parse_number(limit, pgps_trimmed(colon + 1, strlen(colon + 1)));
	return limit;
}

static Size
text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *
move_text(char **to, const char *text)
{
	char	   *moved = *to;

	if (text == NULL)
		return NULL;
	strcpy(moved, text);
	*to += text_size(text);
	return moved;
}

/* Lay out the list in one piece; NULL without memory. */
static PgpsPoolLimits *
make_list(const List *entries)
{
	Size		head = offsetof(PgpsPoolLimits, limit) +
		list_length(entries) * sizeof(PgpsPoolLimit);
	Size		size = head;
	PgpsPoolLimits *list;
	char	   *to;
	const ListCell *lc;

	foreach(lc, entries)
	{
		const PgpsPoolLimit *limit = lfirst(lc);

		size += text_size(limit->entry) + text_size(limit->what.name) +
			text_size(limit->what.database) + text_size(limit->error);
	}
	list = pgps_guc_alloc(size);
	if (list == NULL)
		return NULL;
	list->count = 0;
	to = (char *) list + head;
	foreach(lc, entries)
	{
		PgpsPoolLimit *limit = &list->limit[list->count++];

		*limit = *(const PgpsPoolLimit *) lfirst(lc);
		limit->entry = move_text(&to, limit->entry);
		limit->what.name = move_text(&to, limit->what.name);
		limit->what.database = move_text(&to, limit->what.database);
		limit->error = move_text(&to, limit->error);
	}
	return list;
}

/* Check hook: takes anything but what there is no memory for. */
bool
pgps_check_pool_limits(char **newval, void **extra, GucSource source)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pgpool_stats pool_limits",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	const char *p = *newval;
	List	   *entries = NIL;
	bool		any;

	while (*p != '\0')
	{
		Size		len = strcspn(p, ";");
		char	   *text = pgps_trimmed(p, len);

		if (text[0] != '\0')
			entries = lappend(entries, parse_entry(text));
		p += len + (p[len] == ';');
	}
	any = entries != NIL;
	*extra = any ? make_list(entries) : NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return !any || *extra != NULL;
}

void
pgps_assign_pool_limits(const char *newval, void *extra)
{
	pgps_pool_limits = extra;
	pgps_pool_limits_version++;
}

/* The entry that holds for a pool, or NULL */
const PgpsPoolLimit *
pgps_find_pool_limit(const char *pool, const char *usename, const char *datname)
{
	int			i;

	for (i = pgps_pool_limits ? pgps_pool_limits->count - 1 : -1; i >= 0; i--)
	{
		const PgpsPoolLimit *limit = &pgps_pool_limits->limit[i];

		if (limit->error == NULL &&
			pgps_target_means_pool(&limit->what, pool, usename, datname))
			return limit;
	}
	return NULL;
}

/*-------------------------------------------------------------------------
 * The registry
 *-------------------------------------------------------------------------
 */

static inline bool
is_at_pool(int procno, int32 pool)
{
	return pgps_pool_at(procno) == pool;
}

/* What a pooler hands on, or only reports, is not counted. */
static bool
is_counted(int procno)
{
	PgpsSlot   *slot = pgps_slot(procno);

	return !slot->not_limited &&
		pgps_pooler_of(procno, pg_atomic_read_u32(&slot->pid)) == PGPS_NO_POOLER;
}

/*
 * Does the pool have so many connections that count?  One that is just leaving
 * counts until it has left; those that do not count are looked for only when
 * it matters.
 */
bool
pgps_pool_is_at(const PgpsPoolKey *key, int max)
{
	int32		pool = pgps_find_pool(key);
	int			n;
	int			procno;

	if (max == 0)
		return true;
	if (pool == PGPS_NONE)
		return false;
	n = pg_atomic_read_u32(&pgps_pools[pool].attached);
	for (procno = 0; procno < MaxConnections && n >= max; procno++)
	{
		if (is_at_pool(procno, pool) && !is_counted(procno))
			n--;
	}
	return n >= max;
}

static PgpsInstanceUse *
find_holder(PgpsPoolUse *found, const char *instance)
{
	int			i;

	for (i = 0; i < found->count; i++)
	{
		if (strcmp(found->holders[i].instance, instance) == 0)
			return &found->holders[i];
	}
	if (found->count == PGPS_NAMED_HOLDERS)
		return NULL;
	strlcpy(found->holders[found->count].instance, instance, PGPS_INSTANCE_LEN);
	return &found->holders[found->count++];
}

/* Which instances of a pool hold connections that count, and what these do */
void
pgps_find_pool_use(const PgpsPoolKey *key, PgpsPoolUse *found)
{
	int32		pool;
	int			procno;

	memset(found, 0, sizeof(PgpsPoolUse));
	pgps_lock_registry(LW_SHARED);
	pool = pgps_find_pool(key);
	for (procno = 0; pool != PGPS_NONE && procno < MaxConnections; procno++)
	{
		const PgpsSlot *slot = pgps_slot(procno);
		int32		i = pgps_instance_at(procno);
		PgpsInstanceUse *holder;
		BackendState state;

		if (i == PGPS_NO_INSTANCE || !is_at_pool(procno, pool) ||
			!is_counted(procno))
			continue;
		holder = find_holder(found, pgps_instance(i)->data.name);
		if (holder == NULL)
		{
			found->others++;
			continue;
		}
		state = ((const volatile PgBackendStatus *) slot->status)->st_state;
		holder->connections++;
		holder->idle += state == STATE_IDLE;
		holder->idle_in_xact += state == STATE_IDLEINTRANSACTION ||
			state == STATE_IDLEINTRANSACTION_ABORTED;
	}
	pgps_unlock_registry();
}
