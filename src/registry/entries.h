/*-------------------------------------------------------------------------
 *
 * entries.h
 *	  The shared entries of pools and instances; for the registry alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ENTRIES_H
#define PGPS_ENTRIES_H

#include "port/atomics.h"
#include "storage/spin.h"

#include "registry/registry.h"

#define PGPS_NONE (-1)

typedef struct PgpsPoolEntry
{
	int32		next;			/* in its hash chain */
	bool		used;
	pg_atomic_uint32 attached;	/* backends of all its instances */
	PgpsPool	data;
} PgpsPoolEntry;

typedef struct PgpsInstanceEntry
{
	int32		next;
	bool		used;
	pg_atomic_uint32 attached;	/* backends */
	slock_t		mutex;			/* guards data, but for its fixed fields */
	PgpsInstance data;
	PgpsActivity activity;		/* has rules of its own */
} PgpsInstanceEntry;

typedef struct PgpsRegistry
{
	int32		pool_capacity;
	int32		instance_capacity;
	int32		npools;			/* used entries */
	int32		ninstances;
	slock_t		mutex;			/* guards info */
	PgpsRegistryInfo info;		/* without its counters: */
	pg_atomic_uint64 overflowed;
	pg_atomic_uint64 unmapped_keys;
	pg_atomic_uint64 dropped;
} PgpsRegistry;

extern PgpsRegistry *pgps_registry;
extern PgpsPoolEntry *pgps_pools;
extern PgpsInstanceEntry *pgps_instances;

/* registry.c */
extern void pgps_lock_registry(LWLockMode mode);
extern void pgps_unlock_registry(void);

extern int32 pgps_find_pool(const PgpsPoolKey *key);
extern int32 pgps_find_instance(int32 pool, const char *name);
extern int32 pgps_need_pool(const PgpsPoolKey *key, const char *usename,
							const char *datname, bool discovered, TimestampTz now);
extern int32 pgps_need_instance(int32 pool, const char *name, bool for_connection,
								TimestampTz now);
extern void pgps_remove_instance(int32 i);
extern void pgps_remove_pool(int32 i);
extern void pgps_retire(PgpsPool *pool, const PgpsCounters *counters,
						const PgpsCounters *base);

#endif							/* PGPS_ENTRIES_H */
