/*-------------------------------------------------------------------------
 *
 * entries.c
 *	  The shared entries of roles, pools and instances: where they lie, how
 *	  they are found, made and given up.
 *
 * Tables of space.c.  What readers without the lock need stands beside them in
 * arrays of its own: which instance is in use and of which pool, and how often
 * each entry has changed.
 *
 * The caller holds the registry's lock: exclusively where entries are made or
 * given up, at least in shared mode to find one.
 *
 * Which instances have no connection is known by lists, for room.c.  A backend
 * that exits takes no lock, so it cannot change them: when it was the last one
 * of its instance it pushes that onto a stack of departed ones, without a
 * lock, and whoever next holds the lock exclusively brings the lists up to
 * date.  The mark PGPS_DEPARTED is set in the step in which the last backend
 * leaves, and an instance with it is not given up: so it cannot go away while
 * it is on the stack, or on the way there.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "registry/entries.h"
#include "registry/known.h"
#include "registry/life.h"
#include "registry/status.h"

PgpsRegistry *pgps_registry = NULL;
PgpsRoleEntry *pgps_roles = NULL;
PgpsPoolEntry *pgps_pools = NULL;
char	   *pgps_instances = NULL;
PgpsXactTimes *pgps_xact_times = NULL;
volatile int32 *pgps_instance_pools = NULL;
volatile uint32 *pgps_pool_changes = NULL;
volatile uint32 *pgps_instance_changes = NULL;

static PgpsTable roles;
static PgpsTable pools;
static PgpsTable instances;

/*-------------------------------------------------------------------------
 * Layout
 *-------------------------------------------------------------------------
 */

int32
pgps_pool_capacity(void)
{
	return pgps_max_pools + PGPS_OTHER_POOLS;
}

/* an instance for each backend, those without, and an (other) for each pool */
int32
pgps_instance_capacity(void)
{
	return MaxConnections + pgps_max_instances + pgps_pool_capacity();
}

Size
pgps_registry_size(void)
{
	Size		size = MAXALIGN(sizeof(PgpsRegistry));

	size = add_size(size, mul_size(pgps_pool_capacity(), sizeof(PgpsRoleEntry)));
	size = add_size(size, mul_size(pgps_pool_capacity(), sizeof(PgpsPoolEntry)));
	size = add_size(size, PG_CACHE_LINE_SIZE);
	size = add_size(size, mul_size(pgps_instance_capacity(), PGPS_INSTANCE_ENTRY_SIZE));
	size = add_size(size, mul_size(pgps_instance_capacity(), sizeof(PgpsXactTimes)));

	/* indexes of the three, changes of two, pools of instances */
	size = add_size(size, mul_size(3 * pgps_pool_capacity(), sizeof(int32)));
	size = add_size(size, mul_size(pgps_instance_capacity(), 3 * sizeof(int32)));
	return size;
}

/*
 * Find the parts in the shared area and initialize them, unless somebody has
 * ("found").  The area is zeroed.
 */
void
pgps_registry_init(void *area, bool found)
{
	int32	   *next;

	pgps_registry = area;
	pgps_roles = (PgpsRoleEntry *) ((char *) area + MAXALIGN(sizeof(PgpsRegistry)));
	pgps_pools = (PgpsPoolEntry *) (pgps_roles + pgps_pool_capacity());
	pgps_instances = (char *) TYPEALIGN(PG_CACHE_LINE_SIZE,
										pgps_pools + pgps_pool_capacity());
	pgps_xact_times = (PgpsXactTimes *) pgps_instance(pgps_instance_capacity());
	next = (int32 *) (pgps_xact_times + pgps_instance_capacity());
	roles = (PgpsTable)
	{
		&pgps_registry->roles, (char *) pgps_roles,
			sizeof(PgpsRoleEntry), next
	};
	next += pgps_pool_capacity();
	pools = (PgpsTable)
	{
		&pgps_registry->pools, (char *) pgps_pools,
			sizeof(PgpsPoolEntry), next
	};
	next += pgps_pool_capacity();
	instances = (PgpsTable)
	{
		&pgps_registry->instances, pgps_instances,
			PGPS_INSTANCE_ENTRY_SIZE, next
	};
	next += pgps_instance_capacity();
	pgps_pool_changes = (uint32 *) next;
	next += pgps_pool_capacity();
	pgps_instance_changes = (uint32 *) next;
	next += pgps_instance_capacity();
	pgps_instance_pools = next;
	if (found)
		return;

	pgps_registry->roles.capacity = pgps_pool_capacity();
	pgps_registry->pools.capacity = pgps_pool_capacity();
	pgps_registry->instances.capacity = pgps_instance_capacity();
	SpinLockInit(&pgps_registry->mutex);
	pgps_registry->info.started_at = GetCurrentTimestamp();
	pgps_registry->info.stats_reset = pgps_registry->info.started_at;
	pgps_registry->info.instances_max = MaxConnections + pgps_max_instances;
	pg_atomic_init_u32(&pgps_registry->departed, 0);
	pg_atomic_init_u64(&pgps_registry->overflowed, 0);
	pg_atomic_init_u64(&pgps_registry->unmapped_keys, 0);
	pg_atomic_init_u64(&pgps_registry->dropped, 0);
}

/*-------------------------------------------------------------------------
 * Finding
 *-------------------------------------------------------------------------
 */

static uint32
hash_pool(const PgpsPoolKey *key)
{
	return hash_bytes((const unsigned char *) key, sizeof(PgpsPoolKey));
}

static uint32
hash_instance(int32 pool, const char *name)
{
	return hash_combine(hash_bytes((const unsigned char *) name, strlen(name)),
						hash_uint32(pool));
}

int32
pgps_find_role(Oid roleid)
{
	int32		i = *pgps_table_chain(&roles, hash_uint32(roleid)) - 1;

	while (i != PGPS_NONE && pgps_roles[i].roleid != roleid)
		i = pgps_roles[i].next - 1;
	return i;
}

int32
pgps_find_pool(const PgpsPoolKey *key)
{
	int32		i = *pgps_table_chain(&pools, hash_pool(key)) - 1;

	while (i != PGPS_NONE &&
		   memcmp(&pgps_pools[i].data.key, key, sizeof(PgpsPoolKey)) != 0)
		i = pgps_pools[i].next - 1;
	return i;
}

int32
pgps_find_instance(int32 pool, const char *name)
{
	int32		i = *pgps_table_chain(&instances, hash_instance(pool, name)) - 1;

	while (i != PGPS_NONE &&
		   (pgps_instance_pools[i] != pool + 1 ||
			strcmp(pgps_instance(i)->data.name, name) != 0))
		i = pgps_instance(i)->next - 1;
	return i;
}

/*-------------------------------------------------------------------------
 * Pools
 *-------------------------------------------------------------------------
 */

/* The entry of a role; made if there is none.  Each pool may have another. */
static int32
need_role(Oid roleid)
{
	int32		i = pgps_find_role(roleid);
	PgpsRoleEntry *role;
	bool		fresh;

	if (i != PGPS_NONE)
		return i;
	i = pgps_table_take(&roles, hash_uint32(roleid), &fresh);
	Assert(i != PGPS_NONE);
	role = &pgps_roles[i];
	role->roleid = roleid;
	role->npools = role->ndiscovered = role->nidle = 0;
	dlist_init(&role->idle);
	dlist_init(&role->empty);
	return i;
}

/* Is it one of those that stand for pools without room of their own? */
bool
pgps_is_other_pool(const PgpsPool *pool)
{
	return strcmp(pool->key.name, PGPS_OTHER) == 0;
}

/* Its kinds are counted: it comes (1) or goes (-1). */
static void
count_pool(PgpsPoolEntry *entry, int32 by)
{
	PgpsRoleEntry *role = &pgps_roles[entry->role];

	role->npools += by;
	if (entry->data.discovered)
	{
		role->ndiscovered += by;
		pgps_registry->ndiscovered += by;
	}
	if (pgps_is_other_pool(&entry->data))
		pgps_registry->nother_pools += by;
}

/* A pool that was made by discovery is now one of label or report. */
void
pgps_pool_is_claimed(int32 i)
{
	PgpsPoolEntry *entry = &pgps_pools[i];

	count_pool(entry, -1);
	pgps_change_begins(&pgps_pool_changes[i]);
	entry->data.discovered = false;
	pgps_change_ends(&pgps_pool_changes[i]);
	count_pool(entry, 1);
}

/* PGPS_NONE if there is no room at all */
int32
pgps_add_pool(const PgpsPoolKey *key, const char *usename, const char *datname,
			  bool discovered, TimestampTz now)
{
	bool		fresh;
	int32		i = pgps_table_take(&pools, hash_pool(key), &fresh);
	PgpsPoolEntry *entry;
	PgpsRoleEntry *role;

	if (i == PGPS_NONE)
		return PGPS_NONE;
	entry = &pgps_pools[i];
	if (fresh)
		pg_atomic_init_u32(&entry->attached, 0);
	pgps_sessions_start(i, fresh);
	pgps_change_begins(&pgps_pool_changes[i]);
	memset(&entry->data, 0, sizeof(PgpsPool));
	entry->data.key = *key;
	namestrcpy(&entry->data.usename, usename);
	namestrcpy(&entry->data.datname, datname);
	entry->data.discovered = discovered;
	entry->data.first_seen = entry->data.last_seen = now;
	pgps_counters_init(&entry->data.retired);
	entry->used = true;
	pgps_change_ends(&pgps_pool_changes[i]);
	pgps_know_pool(i, &entry->data, true);

	entry->role = need_role(key->roleid);
	role = &pgps_roles[entry->role];
	dlist_push_tail(&role->empty, &entry->empty_node);
	count_pool(entry, 1);
	return i;
}

/* Give up a pool without instances, and what it counted. */
void
pgps_remove_pool(int32 i)
{
	PgpsPoolEntry *entry = &pgps_pools[i];
	PgpsRoleEntry *role = &pgps_roles[entry->role];

	Assert(entry->data.instances == 0);
	count_pool(entry, -1);
	dlist_delete(&entry->empty_node);
	if (role->npools == 0)
		pgps_table_give_up(&roles, hash_uint32(role->roleid), entry->role);
	pgps_forget_pool(i);
	pgps_change_begins(&pgps_pool_changes[i]);
	entry->used = false;
	pgps_change_ends(&pgps_pool_changes[i]);
	pgps_table_give_up(&pools, hash_pool(&entry->data.key), i);
}

/* Add what somebody counted who is gone to a pool. */
void
pgps_retire(int32 pool, const PgpsCounters *counters, const PgpsCounters *base)
{
	pgps_change_begins(&pgps_pool_changes[pool]);
	pgps_counters_add(&pgps_pools[pool].data.retired, counters);
	pgps_counters_add(&pgps_pools[pool].data.base, base);
	pgps_change_ends(&pgps_pool_changes[pool]);
}

/* The same of how long their transactions took; base is NULL for nothing. */
void
pgps_retire_xacts(int32 pool, const PgpsXactRanges *xacts,
				  const PgpsXactRanges *base)
{
	pgps_change_begins(&pgps_pool_changes[pool]);
	pgps_ranges_add(&pgps_pools[pool].data.retired_xacts, xacts);
	if (base != NULL)
		pgps_ranges_add(&pgps_pools[pool].data.base_xacts, base);
	pgps_change_ends(&pgps_pool_changes[pool]);
}

/*-------------------------------------------------------------------------
 * Instances
 *-------------------------------------------------------------------------
 */

static PgpsRoleEntry *
role_of(const PgpsInstanceEntry *entry)
{
	return &pgps_roles[pgps_pools[entry->data.pool].role];
}

/* It has no connection, as of now. */
static void
make_idle(PgpsInstanceEntry *entry)
{
	if (entry->idle || entry->data.other)
		return;
	entry->idle = true;
	dlist_push_tail(&role_of(entry)->idle, &entry->idle_node);
	role_of(entry)->nidle++;
	pgps_registry->nidle++;
}

static void
make_busy(PgpsInstanceEntry *entry)
{
	if (!entry->idle)
		return;
	entry->idle = false;
	dlist_delete(&entry->idle_node);
	role_of(entry)->nidle--;
	pgps_registry->nidle--;
}

/* PGPS_NONE if there is no room at all.  It has no connection yet. */
int32
pgps_add_instance(int32 pool, const char *name, bool other, TimestampTz now)
{
	bool		fresh;
	int32		i = pgps_table_take(&instances, hash_instance(pool, name), &fresh);
	PgpsInstanceEntry *entry;
	PgpsInstance *data;

	if (i == PGPS_NONE)
		return PGPS_NONE;
	entry = pgps_instance(i);
	data = &entry->data;
	if (fresh)
	{
		pg_atomic_init_u32(&entry->attached, 0);
		SpinLockInit(&entry->mutex);
	}

	pgps_change_begins(&pgps_instance_changes[i]);
	pgps_activity_init(&entry->activity, fresh);
	SpinLockAcquire(&entry->mutex);
	if (!fresh)
		memset(data, 0, sizeof(PgpsInstance));
	data->pool = pool;
	strlcpy(data->name, name, sizeof(data->name));
	data->other = other;
	data->first_seen = data->last_seen = data->status_since = now;
	data->status = PGPS_OK;
	pgps_counters_init(&data->counters);
	pgps_instance_pools[i] = pool + 1;
	SpinLockRelease(&entry->mutex);
	pgps_change_ends(&pgps_instance_changes[i]);
	pgps_know_instance(i, &pgps_pools[pool].data, data);

	pgps_registry->nother_instances += other;
	if (pgps_pools[pool].data.instances++ == 0)
		dlist_delete(&pgps_pools[pool].empty_node);
	make_idle(entry);
	return i;
}

/*
 * A pool keeps how long the transactions of an instance took; the next one of
 * that entry begins with none.  Of who only reported there are none: then this
 * memory, which is a large part of an instance, is not touched.
 */
static void
retire_xact_times(int32 i, int32 pool)
{
	PgpsXactRanges xacts = {0};

	pgps_ranges_count(&xacts, &pgps_xact_times[i].all);
	pgps_retire_xacts(pool, &xacts, NULL);
	memset(&pgps_xact_times[i], 0, sizeof(PgpsXactTimes));
}

/*
 * Give up an instance that nobody is attached to and that is not departing; its
 * pool keeps what it counted.
 */
void
pgps_remove_instance(int32 i)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	int32		pool = entry->data.pool;
	PgpsPoolEntry *pool_entry = &pgps_pools[pool];
	PgpsActivityCopy ignored;
	PgpsCounters counters;

	Assert(pg_atomic_read_u32(&entry->attached) == 0);
	make_busy(entry);
	pgps_change_begins(&pgps_instance_changes[i]);

	/* it also makes visible what was counted before nobody was attached */
	SpinLockAcquire(&entry->mutex);
	counters = entry->data.counters;
	pgps_instance_pools[i] = 0;
	SpinLockRelease(&entry->mutex);
	pgps_activity_copy(&ignored, &counters, &entry->activity,
					   GetCurrentTimestamp());
	pgps_retire(pool, &counters, &entry->data.base);
	if (pgps_count(&counters, PGPS_SERVER_XACTS, 0) > 0)
		retire_xact_times(i, pool);
	pgps_change_ends(&pgps_instance_changes[i]);

	if (entry->data.last_seen >= pool_entry->data.last_seen)
	{
		pool_entry->data.last_seen = entry->data.last_seen;
		pool_entry->data.left_in_order =
			pgps_instance_left_in_order(&entry->data);
	}
	pgps_registry->nother_instances -= entry->data.other;
	if (--pool_entry->data.instances == 0)
		dlist_push_tail(&pgps_roles[pool_entry->role].empty,
						&pool_entry->empty_node);
	pgps_forget_instance(i);
	pgps_table_give_up(&instances, hash_instance(pool, entry->data.name), i);
}

/* A session joins an instance. */
void
pgps_instance_attach(int32 i)
{
	PgpsInstanceEntry *entry = pgps_instance(i);

	make_busy(entry);
	pg_atomic_fetch_add_u32(&entry->attached, 1);
}

/* A session leaves an instance.  Needs no lock. */
void
pgps_instance_detach(int32 i)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	uint32		old = pg_atomic_read_u32(&entry->attached);
	uint32		left;
	uint32		head;

	do
	{
		left = old - 1;
		if (left == 0)
			left = PGPS_DEPARTED;
	} while (!pg_atomic_compare_exchange_u32(&entry->attached, &old, left));
	if (left != PGPS_DEPARTED || (old & PGPS_DEPARTED) != 0)
		return;					/* others are there, or it is on the stack */

	head = pg_atomic_read_u32(&pgps_registry->departed);
	do
	{
		entry->departed_next = head;
	} while (!pg_atomic_compare_exchange_u32(&pgps_registry->departed, &head,
											 i + 1));
}

/* Its number of backends */
int32
pgps_attached(PgpsInstanceEntry *entry)
{
	return pg_atomic_read_u32(&entry->attached) & ~PGPS_DEPARTED;
}

/*
 * List those that have no connection any more, in the order in which they
 * became so.  To be called before anything is given up.
 */
void
pgps_settle_departed(void)
{
	PgpsNext	stack = pg_atomic_exchange_u32(&pgps_registry->departed, 0);
	PgpsNext	oldest = 0;

	while (stack != 0)
	{
		PgpsInstanceEntry *entry = pgps_instance(stack - 1);
		PgpsNext	below = entry->departed_next;

		entry->departed_next = oldest;
		oldest = stack;
		stack = below;
	}
	while (oldest != 0)
	{
		PgpsInstanceEntry *entry = pgps_instance(oldest - 1);

		/* first: without the mark, who leaves may push it again */
		oldest = entry->departed_next;
		if (pg_atomic_fetch_and_u32(&entry->attached, ~PGPS_DEPARTED) == PGPS_DEPARTED)
			make_idle(entry);
	}
}
