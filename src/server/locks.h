/*-------------------------------------------------------------------------
 *
 * locks.h
 *	  Who holds advisory locks.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LOCKS_H
#define PGPS_LOCKS_H

/* a process that is asked about, by its process number */
typedef struct PgpsLockHolder
{
	int			procno;
	int			pid;
	bool		advisory;		/* it holds one; false when asked */
} PgpsLockHolder;

extern void pgps_find_advisory_locks(PgpsLockHolder *holders, int n);

#endif							/* PGPS_LOCKS_H */
