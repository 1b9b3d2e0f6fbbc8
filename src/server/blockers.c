/*-------------------------------------------------------------------------
 *
 * blockers.c
 *	  Who waits for a lock, and for whom.
 *
 * That a process waits stands in its PGPROC, which is read without a lock.  For
 * whom costs more: pg_blocking_pids() takes all partitions of the lock table.
 * So the caller says how many looks it has left.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/lock.h"
#include "storage/lockdefs.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/wait_event.h"

#include "base/compat.h"
#include "server/blockers.h"

#define DEEPEST 8				/* processes that wait one behind the other */

static bool
waits(const PGPROC *proc)
{
	uint32		event = *(const volatile uint32 *) &proc->wait_event_info;

	return (event & 0xFF000000) == PG_WAIT_LOCK;
}

/* What does the process of this number wait for, if it still is that one? */
bool
pgps_wait_event(int procno, int pid, uint32 *event)
{
	const PGPROC *proc = &ProcGlobal->allProcs[procno];

	*event = *(const volatile uint32 *) &proc->wait_event_info;
	return pgps_proc_pid(proc) == pid;
}

/* Is it something that its client has to send? */
bool
pgps_waits_to_read(uint32 event)
{
	return event == WAIT_EVENT_CLIENT_READ;
}

/*
 * Which of those that a process waits for is to be looked at next?  One that
 * does not wait itself, if there is any.  Returns false if it waits for nobody.
 */
static bool
next_blocker(int pid, int *blocker, bool *blocker_waits)
{
	ArrayType  *blockers = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids,
																  Int32GetDatum(pid)));
	const int32 *pids = (const int32 *) ARR_DATA_PTR(blockers);
	int			n = ARR_NDIM(blockers) == 0 ? 0 : ARR_DIMS(blockers)[0];
	int			i;

	*blocker_waits = true;
	for (i = 0; i < n && *blocker_waits; i++)
	{
		PGPROC	   *proc = pids[i] == PGPS_PREPARED_XACT ? NULL :
			BackendPidGetProc(pids[i]);
		bool		itself_waits = proc != NULL && waits(proc);

		if (i > 0 && itself_waits)
			continue;
		*blocker = pids[i];
		*blocker_waits = itself_waits;
	}
	return n > 0;
}

/*
 * Does it ask for all of a table?  Who waits for a row takes such a lock, too.
 * What it waits for is read without a lock, but stays in shared memory.
 */
static bool
asks_for_everything(int pid)
{
	const PGPROC *proc = BackendPidGetProc(pid);
	const LOCK *lock = proc == NULL ? NULL :
		*(LOCK *const volatile *) &proc->waitLock;

	return lock != NULL && waits(proc) &&
		lock->tag.locktag_type == LOCKTAG_RELATION &&
		*(const volatile LOCKMODE *) &proc->waitLockMode == AccessExclusiveLock;
}

/*
 * Behind whom does a process wait in the end?  A circle is nobody's fault, and
 * what is deeper than DEEPEST or costs more looks than are left is not known.
 */
void
pgps_find_blocking(int pid, PgpsBlocking *blocking, int *looks)
{
	int			seen[DEEPEST];
	int			depth;

	memset(blocking, 0, sizeof(PgpsBlocking));
	for (depth = 0; depth < DEEPEST && *looks > 0; depth++)
	{
		bool		itself_waits;
		int			blocker;
		int			i;

		seen[depth] = pid;
		(*looks)--;
		if (!next_blocker(pid, &blocker, &itself_waits))
			return;
		if (!itself_waits)
		{
			blocking->found = true;
			blocking->root = blocker;
			return;
		}
		for (i = 0; i <= depth; i++)
		{
			if (seen[i] == blocker)
				return;
		}
		if (blocking->between == 0 && asks_for_everything(blocker))
			blocking->between = blocker;
		pid = blocker;
	}
}

/* What a process is that is no client's */
const char *
pgps_process_kind(int pid)
{
	PGPROC	   *proc;

	if (pid == PGPS_PREPARED_XACT)
		return "a prepared transaction";
	proc = BackendPidGetProc(pid);
	if (proc == NULL)
		return AuxiliaryPidGetProc(pid) != NULL ? "recovery" : NULL;
	if (proc->statusFlags & PROC_IS_AUTOVACUUM)
		return "autovacuum";
	return "a background process";
}
