/*-------------------------------------------------------------------------
 *
 * entries.h
 *	  The shared entries of roles, pools and instances; for the registry alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ENTRIES_H
#define PGPS_ENTRIES_H

#include "datatype/timestamp.h"
#include "lib/ilist.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/spin.h"

#include "registry/activity.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/space.h"

/* room for the (other) pools of roles that found no room */
#define PGPS_OTHER_POOLS 64

/*
 * What one role takes of the registry.  Guarded by the registry's lock, held
 * exclusively.
 */
typedef struct PgpsRoleEntry
{
	PgpsNext	next;
	Oid			roleid;			/* InvalidOid: for whoever found no room */
	int32		npools;
	int32		ndiscovered;	/* of those, made by discovery */
	int32		nidle;			/* length of idle */
	dlist_head	idle;			/* its instances without a connection, longest
								 * so first */
	dlist_head	empty;			/* its pools without instances, likewise */
} PgpsRoleEntry;

typedef struct PgpsPoolEntry
{
	PgpsNext	next;
	bool		used;
	int32		role;			/* entry of its role */
	dlist_node	empty_node;		/* linked while it has no instances */
	pg_atomic_uint32 attached;	/* backends of all its instances */
	PgpsPool	data;
} PgpsPoolEntry;

/*
 * In "attached": the instance is on the stack of departed ones, or the backend
 * that left last is about to push it.  So 0 means that nobody touches it.
 */
#define PGPS_DEPARTED ((uint32) 1 << 31)

typedef struct PgpsInstanceEntry
{
	PgpsNext	next;
	bool		idle;			/* idle_node is linked */
	dlist_node	idle_node;
	pg_atomic_uint32 attached;	/* backends, and PGPS_DEPARTED */
	PgpsNext	departed_next;	/* the one below it on that stack */
	slock_t		mutex;			/* guards data, but for its fixed fields, and
								 * its pgps_xact_times */
	PgpsActivity activity;		/* has rules of its own */
	PgpsInstance data;
} PgpsInstanceEntry;

typedef struct PgpsRegistry
{
	PgpsSpace	roles;
	PgpsSpace	pools;
	PgpsSpace	instances;
	int32		nother_pools;	/* those that stand for pools ... */
	int32		nother_instances;	/* ... and instances without room */
	int32		ndiscovered;	/* pools made by discovery */
	int32		nidle;			/* instances without a connection */
	pg_atomic_uint32 departed;	/* PgpsNext: the instance whose last backend
								 * left most recently */
	TimestampTz turned_at;		/* the collector's alone: when histograms were
								 * last turned */
	slock_t		mutex;			/* guards info */
	PgpsRegistryInfo info;		/* without its counters: */
	pg_atomic_uint64 overflowed;
	pg_atomic_uint64 unmapped_keys;
	pg_atomic_uint64 dropped;
} PgpsRegistry;

extern PgpsRegistry *pgps_registry;
extern PgpsRoleEntry *pgps_roles;
extern PgpsPoolEntry *pgps_pools;

/* entries have a size of their own, see pgps_instance() */
extern char *pgps_instances;

/* of each instance; apart, because few ask for it and not all have sessions */
extern PgpsXactTimes *pgps_xact_times;

/* the pool of each instance + 1; 0 = the entry is not in use */
extern volatile int32 *pgps_instance_pools;

/*
 * A change count of each pool and instance, for readers without the lock: odd
 * while its entry becomes another's, or counts move into it or out of it.
 */
extern volatile uint32 *pgps_pool_changes;
extern volatile uint32 *pgps_instance_changes;

#define PGPS_INSTANCE_ENTRY_SIZE \
	TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(PgpsInstanceEntry))

static inline PgpsInstanceEntry *
pgps_instance(int32 i)
{
	return (PgpsInstanceEntry *) (pgps_instances + i * PGPS_INSTANCE_ENTRY_SIZE);
}

static inline bool
pgps_instance_used(int32 i)
{
	return pgps_instance_pools[i] != 0;
}

/* One at a time changes an entry. */
static inline void
pgps_change_begins(volatile uint32 *changes)
{
	(*changes)++;
	pg_write_barrier();
}

static inline void
pgps_change_ends(volatile uint32 *changes)
{
	pg_write_barrier();
	(*changes)++;
}

/* registry.c */
extern void pgps_lock_registry(LWLockMode mode);
extern void pgps_unlock_registry(void);

extern int32 pgps_find_role(Oid roleid);
extern int32 pgps_find_pool(const PgpsPoolKey *key);
extern int32 pgps_find_instance(int32 pool, const char *name);

extern int32 pgps_add_pool(const PgpsPoolKey *key, const char *usename,
						   const char *datname, bool discovered,
						   TimestampTz now);
extern int32 pgps_add_instance(int32 pool, const char *name, bool other,
							   TimestampTz now);
extern bool pgps_is_other_pool(const PgpsPool *pool);
extern void pgps_pool_is_claimed(int32 i);
extern void pgps_remove_instance(int32 i);
extern void pgps_remove_pool(int32 i);
extern void pgps_retire_xacts(int32 pool, const PgpsXactRanges *xacts,
							  const PgpsXactRanges *base);
extern void pgps_retire(int32 pool, const PgpsCounters *counters,
						const PgpsCounters *base);

/* whether an instance has a connection */
extern void pgps_instance_attach(int32 i);
extern void pgps_instance_detach(int32 i);
extern void pgps_settle_departed(void);
extern int32 pgps_attached(PgpsInstanceEntry *entry);

/* room.c: entries for those who need one */
extern int32 pgps_need_pool(const PgpsPoolKey *key, const char *usename,
							const char *datname, bool discovered, TimestampTz now);
extern int32 pgps_need_instance(int32 pool, const char *name, bool for_connection,
								TimestampTz now);
extern bool pgps_trim_instance(TimestampTz now);
extern int32 pgps_restore_pool_entry(const PgpsPoolKey *key, const char *usename,
									 const char *datname, bool discovered,
									 TimestampTz now);
extern int32 pgps_restore_instance_entry(int32 pool, const char *name,
										 TimestampTz now, bool *made);

#endif							/* PGPS_ENTRIES_H */
