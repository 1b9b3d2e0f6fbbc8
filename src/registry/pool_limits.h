/*-------------------------------------------------------------------------
 *
 * pool_limits.h
 *	  The setting pgpool_stats.pool_limits, and what it finds in the registry.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_POOL_LIMITS_H
#define PGPS_POOL_LIMITS_H

#include "utils/guc.h"

#include "base/local.h"
#include "base/text.h"
#include "registry/patterns.h"
#include "registry/registry.h"

/* an entry of the setting */
typedef struct PgpsPoolLimit
{
	const char *entry;			/* its text */
	PgpsTarget	what;
	int			max;			/* connections, of each pool that is meant */
	bool		warns;			/* and refuses nobody */
	const char *error;			/* what is wrong with it: it has no effect */
} PgpsPoolLimit;

/* followed by what its entries point to */
typedef struct PgpsPoolLimits
{
	int			count;
	PgpsPoolLimit limit[FLEXIBLE_ARRAY_MEMBER];
} PgpsPoolLimits;

/* as this process knows the setting; NULL while there is no entry */
extern PGPS_LOCAL const PgpsPoolLimits *pgps_pool_limits;

/* changes with it */
extern uint32 pgps_pool_limits_version;

extern bool pgps_check_pool_limits(char **newval, void **extra,
								   GucSource source);
extern void pgps_assign_pool_limits(const char *newval, void *extra);

extern const PgpsPoolLimit *pgps_find_pool_limit(const char *pool,
												 const char *usename,
												 const char *datname);

/* connections of one instance, for who is refused because of them */
typedef struct PgpsInstanceUse
{
	char		instance[PGPS_INSTANCE_LEN];
	int			connections;
	int			idle;
	int			idle_in_xact;
} PgpsInstanceUse;

#define PGPS_NAMED_HOLDERS 4

typedef struct PgpsPoolUse
{
	int			count;
	PgpsInstanceUse holders[PGPS_NAMED_HOLDERS];	/* the first ones */
	int			others;			/* connections of other instances */
} PgpsPoolUse;

/* caller holds the registry's lock exclusively */
extern bool pgps_pool_is_at(const PgpsPoolKey *key, int max);

extern void pgps_find_pool_use(const PgpsPoolKey *key, PgpsPoolUse *found);

#endif							/* PGPS_POOL_LIMITS_H */
