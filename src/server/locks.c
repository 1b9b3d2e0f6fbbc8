/*-------------------------------------------------------------------------
 *
 * locks.c
 *	  Who holds advisory locks.
 *
 * pg_locks copies the whole lock table.  Here only the locks of a few
 * processes are looked through, where they hang on their PGPROC: each of the
 * lock manager's partitions is guarded by its LWLock, held in shared mode
 * while nothing can raise or wait.  Advisory locks never take the fast path.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "base/compat.h"
#include "server/locks.h"

/* Caller holds the partition's lock. */
static bool
holds_advisory_lock(PGPROC *proc, int partition)
{
	PROCLOCK   *held = NULL;

	while ((held = pgps_next_proclock(proc, partition, held)) != NULL)
	{
		if (held->holdMask != 0 &&
			held->tag.myLock->tag.locktag_type == LOCKTAG_ADVISORY)
			return true;
	}
	return false;
}

/*
 * Which of these processes hold an advisory lock?  One that ended meanwhile
 * holds none.
 */
void
pgps_find_advisory_locks(PgpsLockHolder *holders, int n)
{
	int			partition;
	int			i;

	for (partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		LWLock	   *lock = LockHashPartitionLockByIndex(partition);

		LWLockAcquire(lock, LW_SHARED);
		for (i = 0; i < n; i++)
		{
			PGPROC	   *proc = &ProcGlobal->allProcs[holders[i].procno];

			if (!holders[i].advisory && proc->pid == holders[i].pid)
				holders[i].advisory = holds_advisory_lock(proc, partition);
		}
		LWLockRelease(lock);
	}
}
