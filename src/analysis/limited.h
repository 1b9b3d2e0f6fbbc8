/*-------------------------------------------------------------------------
 *
 * limited.h
 *	  What pool_limits means in a snapshot.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LIMITED_H
#define PGPS_LIMITED_H

#include "analysis/snapshot.h"
#include "registry/pool_limits.h"

/* of a pool */
typedef struct PgpsLimited
{
	const PgpsPoolLimit *limit; /* NULL = none is for it */
	bool		exempt;			/* its role is never refused */
	int			connections;	/* that count */
	int			came_later;		/* of those, that got into it by SET */
	int			by_pooler;		/* that do not count: a pooler hands them on */
} PgpsLimited;

extern PgpsLimited *pgps_find_limited(const PgpsSnapshot *snapshot);
extern const PgpsPoolLimit *pgps_refusing_limit(const char *pool, Oid roleid,
												const char *usename,
												const char *datname);

#endif							/* PGPS_LIMITED_H */
