/*-------------------------------------------------------------------------
 *
 * room.c
 *	  Who gets an entry of the registry when there are too few.
 *
 * Each role has a share: half of the pools, half of those made by discovery,
 * and max_instances_per_role of the instances without a connection.  Who has
 * used up his share gives up his own oldest one for a new one.  When there is
 * no room although the role has its share left, the oldest one of the role that
 * has most gives way.
 *
 * What gives way is a pool without instances, or an instance that has no
 * connection and whose report is late.  If there is no such, the new one is
 * counted under (other): the instance (other) of its pool, or the pool (other)
 * of its role.  Only a new connection of a role also displaces instances of the
 * same role that still report.
 *
 * The caller holds the registry's lock exclusively.  What is done under it is
 * bounded: of a list, only the first few are looked at; the roles, and the
 * instances that departed since, are looked at once.  Those that may not
 * give way go to its end, so that others are looked at the next time.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"
#include "port/atomics.h"
#include "utils/builtins.h"

#include "base/settings.h"
#include "registry/entries.h"
#include "registry/known.h"
#include "registry/registry.h"
#include "registry/space.h"
#include "registry/status.h"

/* so many of a list are looked at */
#define LOOKS 16

/* What a role takes of something, for choosing who gives way */
typedef int32 (*Taken) (const PgpsRoleEntry *role);

static int32
pools_taken(const PgpsRoleEntry *role)
{
	return role->npools;
}

static int32
discovered_taken(const PgpsRoleEntry *role)
{
	return role->ndiscovered;
}

static int32
idle_taken(const PgpsRoleEntry *role)
{
	return role->nidle;
}

/*
 * The role that takes most, and more than this one; else this one.  NULL if it
 * takes nothing.  Roles are not made up by applications: there are not many.
 */
static PgpsRoleEntry *
role_to_give_way(Oid roleid, Taken taken)
{
	PgpsRoleEntry *most = NULL;
	int32		i;

	for (i = 0; i < pgps_registry->roles.high_water; i++)
	{
		PgpsRoleEntry *role = &pgps_roles[i];
		int32		more = taken(role) - (most != NULL ? taken(most) : 0);

		if (more > 0 || (more == 0 && role->roleid == roleid && most != NULL))
			most = role;
	}
	return most;
}

/*-------------------------------------------------------------------------
 * Pools
 *-------------------------------------------------------------------------
 */

/*
 * The pool that stands for those of a role that have no room; when even that
 * has none, the one of everybody.
 */
static int32
other_pool(Oid roleid, const char *usename, TimestampTz now)
{
	PgpsPoolKey key = {
		.roleid = roleid,
		.name = PGPS_OTHER,
	};
	int32		i = pgps_find_pool(&key);

	if (i != PGPS_NONE)
		return i;

	/* the last one is everybody's */
	if (OidIsValid(roleid) &&
		pgps_registry->nother_pools >= PGPS_OTHER_POOLS - 1)
		return other_pool(InvalidOid, "", now);
	return pgps_add_pool(&key, usename, "", false, now);
}

/* A role's oldest pool without instances; of those discovered, if asked for */
static int32
oldest_empty_pool(PgpsRoleEntry *role, bool discovered)
{
	int			looks;

	for (looks = 0; looks < LOOKS && !dlist_is_empty(&role->empty); looks++)
	{
		dlist_node *node = dlist_head_node(&role->empty);
		PgpsPoolEntry *entry = dlist_container(PgpsPoolEntry, empty_node, node);

		if (!pgps_is_other_pool(&entry->data) &&
			(!discovered || entry->data.discovered))
			return entry - pgps_pools;
		dlist_delete(node);
		dlist_push_tail(&role->empty, node);
	}
	return PGPS_NONE;
}

/*
 * Make room for one more pool of a role among so many, of which it may have
 * half.  Returns false if there is none.
 */
static bool
make_room_for_pool(Oid roleid, Taken taken, int32 all, int32 limit,
				   TimestampTz now)
{
	int32		own = pgps_find_role(roleid);
	PgpsRoleEntry *role = own == PGPS_NONE ? NULL : &pgps_roles[own];
	int32		i;
	int32		other;

	if (role == NULL || taken(role) < limit / 2)
	{
		if (all < limit)
			return true;
		role = role_to_give_way(roleid, taken);
	}
	i = role == NULL ? PGPS_NONE :
		oldest_empty_pool(role, taken == discovered_taken);
	if (i == PGPS_NONE)
		return false;

	/* what it counted goes to (other) of its role; it was exported already */
	other = other_pool(role->roleid, NameStr(pgps_pools[i].data.usename), now);
	pgps_retire(other, &pgps_pools[i].data.retired,
				&pgps_pools[i].data.retired);
	pgps_retire_xacts(other, &pgps_pools[i].data.retired_xacts,
					  &pgps_pools[i].data.retired_xacts);
	pgps_inherit_rejected(other, i);
	pgps_remove_pool(i);
	pg_atomic_fetch_add_u64(&pgps_registry->dropped, 1);
	return true;
}

/* Find or make a pool. */
int32
pgps_need_pool(const PgpsPoolKey *key, const char *usename, const char *datname,
			   bool discovered, TimestampTz now)
{
	int32		i = pgps_find_pool(key);

	if (i != PGPS_NONE)
	{
		PgpsPool   *data = &pgps_pools[i].data;
		bool		renamed = strcmp(NameStr(data->usename), usename) != 0 ||
			strcmp(NameStr(data->datname), datname) != 0;

		if (!discovered && data->discovered)
			pgps_pool_is_claimed(i);
		if (renamed)
		{
			pgps_change_begins(&pgps_pool_changes[i]);
			namestrcpy(&data->usename, usename);
			namestrcpy(&data->datname, datname);
			pgps_change_ends(&pgps_pool_changes[i]);
		}
		pgps_know_pool(i, data, renamed);
		return i;
	}

	/* the name may be one that somebody chose */
	if (strcmp(key->name, PGPS_OTHER) == 0 ||
		(discovered &&
		 !make_room_for_pool(key->roleid, discovered_taken,
							 pgps_registry->ndiscovered,
							 pgps_max_discovered_pools, now)) ||
		!make_room_for_pool(key->roleid, pools_taken,
							pgps_registry->pools.used - pgps_registry->nother_pools,
							pgps_max_pools, now))
		return other_pool(key->roleid, usename, now);
	return pgps_add_pool(key, usename, datname, discovered, now);
}

/*
 * Find or make one that was saved.  Its instances come later, so that shares
 * mean nothing yet, and none gives way to another.
 */
int32
pgps_restore_pool_entry(const PgpsPoolKey *key, const char *usename,
						const char *datname, bool discovered, TimestampTz now)
{
	int32		i = pgps_find_pool(key);

	if (i != PGPS_NONE)
		return i;
	if (strcmp(key->name, PGPS_OTHER) == 0 ||
		pgps_registry->pools.used - pgps_registry->nother_pools >= pgps_max_pools)
		return other_pool(key->roleid, usename, now);
	return pgps_add_pool(key, usename, datname, discovered, now);
}

/*-------------------------------------------------------------------------
 * Instances
 *-------------------------------------------------------------------------
 */

static int32
other_instance(int32 pool, TimestampTz now)
{
	int32		i = pgps_find_instance(pool, PGPS_OTHER);

	return i != PGPS_NONE ? i : pgps_add_instance(pool, PGPS_OTHER, true, now);
}

/* Does it report, as far as we know?  Nobody could before the server started. */
static bool
still_reports(const PgpsInstance *data, TimestampTz now)
{
	return data->last_report != 0 && !data->said_goodbye &&
		now <= Max(data->last_report, pgps_registry->info.started_at) +
		pgps_late_after(pgps_median_interval(data->intervals, data->nintervals));
}

/*
 * A role's instance that has been without a connection for longest, and does
 * not report any more.  If there is none, "any" takes one that does.
 */
static int32
oldest_idle_instance(PgpsRoleEntry *role, bool any, TimestampTz now)
{
	int32		first = PGPS_NONE;
	int			looks;

	for (looks = 0; looks < LOOKS && !dlist_is_empty(&role->idle); looks++)
	{
		dlist_node *node = dlist_head_node(&role->idle);
		PgpsInstanceEntry *entry = dlist_container(PgpsInstanceEntry, idle_node,
												   node);
		int32		i = ((char *) entry - pgps_instances) / PGPS_INSTANCE_ENTRY_SIZE;

		if (!still_reports(&entry->data, now))
			return i;
		if (first == PGPS_NONE)
			first = i;
		dlist_delete(node);
		dlist_push_tail(&role->idle, node);
	}
	return any ? first : PGPS_NONE;
}

/*
 * Make room for one more instance of a role, for a connection or without.
 * Returns false if there is none.
 */
static bool
make_room_for_instance(PgpsRoleEntry *role, bool for_connection, TimestampTz now)
{
	int32		share = pgps_max_instances_per_role > 0 ?
		pgps_max_instances_per_role : pgps_max_instances / 2;
	bool		full = pgps_registry->instances.used -
		pgps_registry->nother_instances >= pgps_registry->info.instances_max;
	PgpsRoleEntry *gives_way = role;
	int32		i;

	if (role->nidle < share)
	{
		if (!full && pgps_registry->nidle < pgps_max_instances)
			return true;
		gives_way = role_to_give_way(role->roleid, idle_taken);
	}
	i = gives_way == NULL ? PGPS_NONE :
		oldest_idle_instance(gives_way, for_connection && gives_way == role, now);
	if (i == PGPS_NONE && gives_way != role)
		i = oldest_idle_instance(role, for_connection, now);
	if (i == PGPS_NONE)
		return for_connection && !full;
	pgps_remove_instance(i);
	pg_atomic_fetch_add_u64(&pgps_registry->dropped, 1);
	return true;
}

/*
 * If there are more instances without a connection than are to be kept, the
 * role that has most gives up its oldest one: one that still reports, too, if it
 * has no other.  Returns whether there was one.
 */
bool
pgps_trim_instance(TimestampTz now)
{
	PgpsRoleEntry *role;
	int32		i;

	if (pgps_registry->nidle <= pgps_max_instances)
		return false;
	role = role_to_give_way(InvalidOid, idle_taken);
	i = oldest_idle_instance(role, true, now);
	pgps_remove_instance(i);
	pg_atomic_fetch_add_u64(&pgps_registry->dropped, 1);
	return true;
}

/* Find or make an instance. */
int32
pgps_need_instance(int32 pool, const char *name, bool for_connection,
				   TimestampTz now)
{
	int32		i = pgps_find_instance(pool, name);

	if (i != PGPS_NONE)
	{
		pgps_know_instance(i, &pgps_pools[pool].data, &pgps_instance(i)->data);
		return i;
	}

	/* the name may be one that somebody chose */
	if (pgps_is_other_pool(&pgps_pools[pool].data) ||
		strcmp(name, PGPS_OTHER) == 0)
		return other_instance(pool, now);
	pgps_settle_departed();
	if (!make_room_for_instance(&pgps_roles[pgps_pools[pool].role],
								for_connection, now))
		return other_instance(pool, now);
	return pgps_add_instance(pool, name, false, now);
}

/*
 * Find or make one that was saved.  While the server starts none has a
 * connection, so that shares mean nothing yet.  "made" is whether it was not
 * there before.
 */
int32
pgps_restore_instance_entry(int32 pool, const char *name, TimestampTz now,
							bool *made)
{
	int32		before = pgps_registry->instances.used;
	int32		i = pgps_find_instance(pool, name);

	if (i == PGPS_NONE)
	{
		if (pgps_is_other_pool(&pgps_pools[pool].data) ||
			strcmp(name, PGPS_OTHER) == 0 ||
			pgps_registry->nidle >= pgps_max_instances)
			i = other_instance(pool, now);
		else
			i = pgps_add_instance(pool, name, false, now);
	}
	*made = pgps_registry->instances.used > before;
	return i;
}
