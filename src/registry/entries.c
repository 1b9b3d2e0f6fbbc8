/*-------------------------------------------------------------------------
 *
 * entries.c
 *	  The shared entries of pools and instances: where they lie, how they are
 *	  found, who gets one when there are too few.
 *
 * Two arrays of fixed size, each with a hash index of chained entries, so
 * that an entry has a number that backends can refer to.  Entries are made
 * and given up here; what is in them is registry.c's.
 *
 * The caller holds the registry's lock: exclusively where entries are made or
 * given up, at least in shared mode to find one.
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

/* room for the (other) pools of roles that found no room */
#define OTHER_POOLS 64

PgpsRegistry *pgps_registry = NULL;
PgpsPoolEntry *pgps_pools = NULL;
PgpsInstanceEntry *pgps_instances = NULL;
static int32 *pool_index = NULL;
static int32 *instance_index = NULL;

/*-------------------------------------------------------------------------
 * Layout
 *-------------------------------------------------------------------------
 */

int32
pgps_pool_capacity(void)
{
	return pgps_max_pools + OTHER_POOLS;
}

/* an instance for each backend, those without, and an (other) for each pool */
static int32
instance_capacity(void)
{
	return MaxConnections + pgps_max_instances + pgps_pool_capacity();
}

Size
pgps_registry_size(void)
{
	Size		size = MAXALIGN(sizeof(PgpsRegistry));

	size = add_size(size, mul_size(pgps_pool_capacity(), sizeof(PgpsPoolEntry)));
	size = add_size(size, mul_size(instance_capacity(), sizeof(PgpsInstanceEntry)));
	size = add_size(size, mul_size(2 * instance_capacity(), sizeof(int32)));
	return size;
}

/*
 * Find the parts in the shared area and initialize them, unless somebody has
 * ("found").  The area is zeroed.
 */
void
pgps_registry_init(void *area, bool found)
{
	int			i;

	pgps_registry = area;
	pgps_pools = (PgpsPoolEntry *) ((char *) area + MAXALIGN(sizeof(PgpsRegistry)));
	pgps_instances = (PgpsInstanceEntry *) (pgps_pools + pgps_pool_capacity());
	pool_index = (int32 *) (pgps_instances + instance_capacity());
	instance_index = pool_index + instance_capacity();
	if (found)
		return;

	pgps_registry->pool_capacity = pgps_pool_capacity();
	pgps_registry->instance_capacity = instance_capacity();
	SpinLockInit(&pgps_registry->mutex);
	pgps_registry->info.started_at = GetCurrentTimestamp();
	pgps_registry->info.stats_reset = pgps_registry->info.started_at;
	pgps_registry->info.instances_max = MaxConnections + pgps_max_instances;
	pg_atomic_init_u64(&pgps_registry->overflowed, 0);
	pg_atomic_init_u64(&pgps_registry->unmapped_keys, 0);
	pg_atomic_init_u64(&pgps_registry->dropped, 0);
	for (i = 0; i < pgps_registry->pool_capacity; i++)
		pg_atomic_init_u32(&pgps_pools[i].attached, 0);
	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		pg_atomic_init_u32(&pgps_instances[i].attached, 0);
		SpinLockInit(&pgps_instances[i].mutex);
	}
	for (i = 0; i < pgps_registry->instance_capacity; i++)
		pool_index[i] = instance_index[i] = PGPS_NONE;
}

/*-------------------------------------------------------------------------
 * Index
 *-------------------------------------------------------------------------
 */

static int32 *
pool_bucket(const PgpsPoolKey *key)
{
	return &pool_index[hash_bytes((const unsigned char *) key,
								  sizeof(PgpsPoolKey)) % pgps_registry->instance_capacity];
}

static int32 *
instance_bucket(int32 pool, const char *name)
{
	uint32		hash = hash_bytes((const unsigned char *) name, strlen(name));

	return &instance_index[hash_combine(hash, hash_uint32(pool)) %
						   pgps_registry->instance_capacity];
}

int32
pgps_find_pool(const PgpsPoolKey *key)
{
	int32		i;

	for (i = *pool_bucket(key); i != PGPS_NONE; i = pgps_pools[i].next)
	{
		if (memcmp(&pgps_pools[i].data.key, key, sizeof(PgpsPoolKey)) == 0)
			break;
	}
	return i;
}

int32
pgps_find_instance(int32 pool, const char *name)
{
	int32		i;

	for (i = *instance_bucket(pool, name); i != PGPS_NONE; i = pgps_instances[i].next)
	{
		if (pgps_instances[i].data.pool == pool &&
			strcmp(pgps_instances[i].data.name, name) == 0)
			break;
	}
	return i;
}

/*-------------------------------------------------------------------------
 * Making and giving up
 *-------------------------------------------------------------------------
 */

static TimestampTz
instance_late_at(const PgpsInstance *data)
{
	return data->last_seen +
		pgps_late_after(pgps_median_interval(data->intervals, data->nintervals));
}

/* Add what somebody counted who is gone to a pool. */
void
pgps_retire(PgpsPool *pool, const PgpsCounters *counters,
			const PgpsCounters *base)
{
	pgps_counters_add(&pool->retired, counters);
	pgps_counters_add(&pool->base, base);
}

/* Give what an instance counted to its pool. */
static void
retire_counters(PgpsInstanceEntry *entry)
{
	const PgpsInstance *data = &entry->data;
	PgpsPool   *pool = &pgps_pools[data->pool].data;
	PgpsCounters counters = data->counters;

	pgps_activity_count_up(&counters, &entry->activity, GetCurrentTimestamp());
	pgps_retire(pool, &counters, &data->base);
	pool->last_seen = Max(pool->last_seen, data->last_seen);
}

void
pgps_remove_instance(int32 i)
{
	PgpsInstanceEntry *entry = &pgps_instances[i];
	int32	   *link = instance_bucket(entry->data.pool, entry->data.name);

	Assert(pg_atomic_read_u32(&entry->attached) == 0);
	retire_counters(entry);
	pgps_pools[entry->data.pool].data.instances--;
	while (*link != i)
		link = &pgps_instances[*link].next;
	*link = entry->next;
	entry->used = false;
	pgps_registry->ninstances--;
}

void
pgps_remove_pool(int32 i)
{
	int32	   *link = pool_bucket(&pgps_pools[i].data.key);

	Assert(pgps_pools[i].data.instances == 0);
	while (*link != i)
		link = &pgps_pools[*link].next;
	*link = pgps_pools[i].next;
	pgps_pools[i].used = false;
	pgps_registry->npools--;
}

static int32
add_pool_entry(const PgpsPoolKey *key, const char *usename, const char *datname,
		 bool discovered, TimestampTz now)
{
	int32	   *bucket = pool_bucket(key);
	int32		i;
	PgpsPool   *data;

	for (i = 0; i < pgps_registry->pool_capacity && pgps_pools[i].used; i++)
		;
	if (i == pgps_registry->pool_capacity)
		return PGPS_NONE;

	data = &pgps_pools[i].data;
	memset(data, 0, sizeof(PgpsPool));
	data->key = *key;
	namestrcpy(&data->usename, usename);
	namestrcpy(&data->datname, datname);
	data->discovered = discovered;
	data->first_seen = data->last_seen = now;
	pgps_counters_init(&data->retired);
	pg_atomic_write_u32(&pgps_pools[i].attached, 0);
	pgps_pools[i].used = true;
	pgps_pools[i].next = *bucket;
	*bucket = i;
	pgps_registry->npools++;
	return i;
}

/*
 * The pool of all of a role's connections and reports that have no room of
 * their own; when even that has none, the one of everybody.
 */
static int32
other_pool(Oid roleid, const char *usename, TimestampTz now)
{
	PgpsPoolKey key = {
		.roleid = roleid,
		.name = PGPS_OTHER,
	};
	int32		i = pgps_find_pool(&key);

	if (i == PGPS_NONE && roleid != InvalidOid)
	{
		/* the last one is everybody's */
		int			others = 0;

		for (i = 0; i < pgps_registry->pool_capacity; i++)
			others += pgps_pools[i].used &&
				strcmp(pgps_pools[i].data.key.name, PGPS_OTHER) == 0;
		if (others >= OTHER_POOLS - 1)
			return other_pool(InvalidOid, "", now);
	}
	if (pgps_find_pool(&key) != PGPS_NONE)
		return pgps_find_pool(&key);
	return add_pool_entry(&key, usename, "", false, now);
}

/*
 * Find or make a pool.  A role may have half of them; discovery may make only
 * so many.  A pool without instances makes room for a new one.
 */
int32
pgps_need_pool(const PgpsPoolKey *key, const char *usename, const char *datname,
			   bool discovered, TimestampTz now)
{
	int32		i = pgps_find_pool(key);
	int32		used = 0,
				of_role = 0,
				found = 0;
	int32		oldest = PGPS_NONE,
				oldest_of_role = PGPS_NONE;

	if (i != PGPS_NONE)
	{
		/* names may have changed since */
		if (!discovered)
			pgps_pools[i].data.discovered = false;
		namestrcpy(&pgps_pools[i].data.usename, usename);
		namestrcpy(&pgps_pools[i].data.datname, datname);
		return i;
	}

	/* somebody gave this name himself */
	if (strcmp(key->name, PGPS_OTHER) == 0)
		return other_pool(key->roleid, usename, now);

	for (i = 0; i < pgps_registry->pool_capacity; i++)
	{
		const PgpsPool *data = &pgps_pools[i].data;
		bool		same_role = data->key.roleid == key->roleid;

		if (!pgps_pools[i].used || strcmp(data->key.name, PGPS_OTHER) == 0)
			continue;
		used++;
		of_role += same_role;
		found += data->discovered;
		if (data->instances > 0)
			continue;
		if (oldest == PGPS_NONE || data->last_seen < pgps_pools[oldest].data.last_seen)
			oldest = i;
		if (same_role && (oldest_of_role == PGPS_NONE ||
						  data->last_seen < pgps_pools[oldest_of_role].data.last_seen))
			oldest_of_role = i;
	}

	if (discovered && found >= PGPS_MAX_DISCOVERED_POOLS)
		return other_pool(key->roleid, usename, now);
	if (of_role >= pgps_max_pools / 2)
		oldest = oldest_of_role;
	else if (used < pgps_max_pools)
		return add_pool_entry(key, usename, datname, discovered, now);

	if (oldest == PGPS_NONE)
		return other_pool(key->roleid, usename, now);

	/* what it counted goes to (other) of its role; it was exported already */
	i = other_pool(pgps_pools[oldest].data.key.roleid,
				   NameStr(pgps_pools[oldest].data.usename), now);
	pgps_retire(&pgps_pools[i].data, &pgps_pools[oldest].data.retired,
				&pgps_pools[oldest].data.retired);
	pgps_remove_pool(oldest);
	pg_atomic_fetch_add_u64(&pgps_registry->dropped, 1);
	return add_pool_entry(key, usename, datname, discovered, now);
}

static int32
add_instance_entry(int32 pool, const char *name, bool other, TimestampTz now)
{
	int32	   *bucket = instance_bucket(pool, name);
	int32		i;
	PgpsInstance *data;

	for (i = 0; pgps_instances[i].used; i++)
		Assert(i < pgps_registry->instance_capacity);

	data = &pgps_instances[i].data;
	memset(data, 0, sizeof(PgpsInstance));
	data->pool = pool;
	strlcpy(data->name, name, sizeof(data->name));
	data->other = other;
	data->first_seen = data->last_seen = data->status_since = now;
	data->status = PGPS_OK;
	pgps_counters_init(&data->counters);
	pg_atomic_write_u32(&pgps_instances[i].attached, 0);
	pgps_activity_init(&pgps_instances[i].activity);
	pgps_instances[i].used = true;
	pgps_instances[i].next = *bucket;
	*bucket = i;
	pgps_pools[pool].data.instances++;
	pgps_registry->ninstances++;
	return i;
}

static int32
other_instance(int32 pool, TimestampTz now)
{
	int32		i = pgps_find_instance(pool, PGPS_OTHER);

	return i != PGPS_NONE ? i : add_instance_entry(pool, PGPS_OTHER, true, now);
}

/*
 * Find or make an instance.  For a connection there is always room.  Without
 * one, an instance that is not heard of any more makes room, of the same role
 * if that has its share; if there is none, the pool's (other) stands for it.
 */
int32
pgps_need_instance(int32 pool, const char *name, bool for_connection,
				   TimestampTz now)
{
	int32		i = pgps_find_instance(pool, name);
	int32		share;
	int32		used = 0,
				unattached = 0,
				of_role = 0;
	int32		oldest = PGPS_NONE,
				oldest_of_role = PGPS_NONE;

	if (i != PGPS_NONE)
		return i;
	if (strcmp(pgps_pools[pool].data.key.name, PGPS_OTHER) == 0)
		return other_instance(pool, now);

	for (i = 0; i < pgps_registry->instance_capacity; i++)
	{
		const PgpsInstance *data = &pgps_instances[i].data;
		bool		same_role;

		if (!pgps_instances[i].used || data->other)
			continue;
		used++;
		if (pg_atomic_read_u32(&pgps_instances[i].attached) > 0)
			continue;
		same_role = pgps_pools[data->pool].data.key.roleid ==
			pgps_pools[pool].data.key.roleid;
		unattached++;
		of_role += same_role;
		if (!for_connection && instance_late_at(data) > now)
			continue;
		if (oldest == PGPS_NONE ||
			data->last_seen < pgps_instances[oldest].data.last_seen)
			oldest = i;
		if (same_role && (oldest_of_role == PGPS_NONE ||
						  data->last_seen < pgps_instances[oldest_of_role].data.last_seen))
			oldest_of_role = i;
	}

	if (for_connection)
	{
		if (used < pgps_registry->info.instances_max)
			return add_instance_entry(pool, name, false, now);
	}
	else
	{
		share = pgps_max_instances_per_role > 0 ?
			pgps_max_instances_per_role : pgps_max_instances / 2;
		if (of_role >= share)
			oldest = oldest_of_role;
		else if (unattached < pgps_max_instances &&
				 used < pgps_registry->info.instances_max)
			return add_instance_entry(pool, name, false, now);
	}

	if (oldest == PGPS_NONE)
		return other_instance(pool, now);
	pgps_remove_instance(oldest);
	pg_atomic_fetch_add_u64(&pgps_registry->dropped, 1);
	return add_instance_entry(pool, name, false, now);
}
