/*-------------------------------------------------------------------------
 *
 * told.h
 *	  What a pooler tells of the state of one of its pools.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TOLD_H
#define PGPS_TOLD_H

#include "base/text.h"

/* as bits */
#define PGPS_PAUSED 0x01
#define PGPS_DISABLED 0x02		/* rejects new clients */
#define PGPS_NO_MORE_CLIENTS 0x04	/* it has as many as it may */
#define PGPS_SEVERAL_WAIT 0x08	/* also clients of another application */

typedef struct PgpsTold
{
	uint8		state;
	int32		cancels;		/* cancel requests that wait; -1 = not told */
	char		waiting_app[PGPS_POOL_LEN]; /* of those who wait, as the pool
											 * of such connections would be
											 * called; empty = nobody, or not
											 * told */
} PgpsTold;

#endif							/* PGPS_TOLD_H */
