/*-------------------------------------------------------------------------
 *
 * blockers.h
 *	  Who waits for a lock, and for whom.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_BLOCKERS_H
#define PGPS_BLOCKERS_H


#define PGPS_PREPARED_XACT 0	/* pid of a blocker that has no process */

/* what is at the end of a chain of processes that wait for locks */
typedef struct PgpsBlocking
{
	bool		found;			/* there is one, and it does not wait */
	int			root;			/* its pid */
	int			between;		/* pid of one on the way that asks for
								 * AccessExclusiveLock; 0 = none */
} PgpsBlocking;

extern bool pgps_wait_event(int procno, int pid, uint32 *event);
extern bool pgps_waits_to_read(uint32 event);
extern void pgps_find_blocking(int pid, PgpsBlocking *blocking, int *looks);
extern const char *pgps_process_kind(int pid);

#endif							/* PGPS_BLOCKERS_H */
