/*-------------------------------------------------------------------------
 *
 * commitments.h
 *	  How many connections the pools may ask for, of each limit.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COMMITMENTS_H
#define PGPS_COMMITMENTS_H

#include "analysis/snapshot.h"

/* a pool that is planned; it takes the place of the pool that it replaces */
typedef struct PgpsPlannedPool
{
	Oid			roleid;			/* InvalidOid = no such role (yet) */
	Oid			dbid;
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

extern PgpsCommitments *pgps_commitments(const PgpsSnapshot *snapshot,
										 const List *plan);
extern PgpsCommitted pgps_committed(const PgpsCommitments *commitments,
									PgpsScope scope, Oid oid);
extern PgpsCommitted pgps_committed_behind(const PgpsSnapshot *snapshot,
										   const List *plan,
										   const PgpsPooler *pooler);

#endif							/* PGPS_COMMITMENTS_H */
