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

#include "compat.h"
#include "leaks.h"

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
 * Exempt those that hold an advisory lock: that is what they are kept for.
 * A process that ended meanwhile holds none.
 */
void
pgps_exempt_lock_holders(PgpsSuspect *suspects, int n)
{
	int			partition;
	int			i;

	for (partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		LWLock	   *lock = LockHashPartitionLockByIndex(partition);

		LWLockAcquire(lock, LW_SHARED);
		for (i = 0; i < n; i++)
		{
			PGPROC	   *proc = &ProcGlobal->allProcs[suspects[i].backend->procno];

			if (suspects[i].exempt == PGPS_NOT_EXEMPT &&
				proc->pid == suspects[i].backend->pid &&
				holds_advisory_lock(proc, partition))
				suspects[i].exempt = PGPS_EXEMPT_ADVISORY_LOCK;
		}
		LWLockRelease(lock);
	}
}
