/*-------------------------------------------------------------------------
 *
 * commitments.h
 *	  How many connections the pools may ask for, of each limit, and whether
 *	  a plan fits.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COMMITMENTS_H
#define PGPS_COMMITMENTS_H

#include "nodes/pg_list.h"

#include "analysis/snapshot.h"
#include "poolers/poolers.h"
#include "registry/peaks.h"
#include "registry/registry.h"

/* a pool that is planned; it takes the place of the pool that it replaces */
typedef struct PgpsPlannedPool
{
	Oid			roleid;			/* InvalidOid = no such role (yet) */
	Oid			dbid;
	const char *pool;			/* its name, for pool_limits; or NULL */
	const char *replaces;		/* name of a pool, or NULL */
	const char *via;			/* pooler in front of the server, or NULL */
	bool		unlimited;
	int64		requested;		/* connections, unless unlimited */
} PgpsPlannedPool;

/* the pools added up by role and database */
typedef struct PgpsCommitments PgpsCommitments;

/* what is committed of one limit */
typedef struct PgpsCommitted
{
	int64		now;
	int64		peak;
	int			uncapped;		/* instances without a known maximum */
} PgpsCommitted;

extern bool pgps_is_replaced(const List *plan, const PgpsPoolKey *key);
extern PgpsCommitments *pgps_commitments(const PgpsSnapshot *snapshot,
										 const List *plan);
extern PgpsCommitted pgps_committed(const PgpsCommitments *commitments,
									PgpsScope scope, Oid oid);
extern PgpsCommitted pgps_committed_behind(const PgpsSnapshot *snapshot,
										   const List *plan,
										   const PgpsPooler *pooler);

/* fit.c: one limit that a plan meets */
typedef struct PgpsVerdict
{
	PgpsScope	scope;
	char	   *name;			/* of database, role, pooler or pool, or empty */
	Oid			roleid;			/* of a pool */
	Oid			dbid;
	int			usable;			/* -1 = unknown, and so is what follows from
								 * it */
	int64		committed;
	bool		unlimited;		/* an unlimited pool is planned */
	int64		requested;		/* by the others */
	int64		remaining;
	bool		fits;
	int			uncapped;
	const char *note;			/* or NULL */
} PgpsVerdict;

extern List *pgps_judge_plan(const PgpsSnapshot *snapshot, const List *plan,
							 bool peak);

#endif							/* PGPS_COMMITMENTS_H */
