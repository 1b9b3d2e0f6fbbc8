/*-------------------------------------------------------------------------
 *
 * stuck.c
 *	  Connections whose client has stopped amid a statement: it reads no more of
 *	  the result, or fetches no more from a cursor.
 *
 * The server shows for what a backend waits, not since when.  A slow client
 * looks the same at each look, but each piece that it reads costs the backend
 * CPU time.  So one is stuck if it has waited for its client at each pass, in
 * the same statement, and used next to none.
 *
 * The collector's own memory; the mark in a slot is read by all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/memutils.h"

#include "server/processes.h"
#include "server/stuck.h"

/* what signals to the process may cost; microseconds */
#define NEXT_TO_NONE 1000

typedef struct Mark
{
	int			pid;
	TimestampTz statement;
	int64		cpu;
} Mark;

static Mark *marks = NULL;		/* by process number */

/* Look at a connection once a pass. */
void
pgps_note_stuck(const PgpsBackend *seen, TimestampTz now)
{
	PgpsSlot   *slot = pgps_slot(seen->procno);
	Mark	   *mark;
	int64		cpu;

	if (!seen->waits_for_client)
	{
		if (seen->stuck_since != 0 &&
			pg_atomic_read_u32(&slot->pid) == (uint32) seen->pid)
			slot->stuck_since = 0;
		return;
	}
	if (marks == NULL)
		marks = MemoryContextAllocZero(TopMemoryContext,
									   MaxConnections * sizeof(Mark));
	mark = &marks[seen->procno];
	cpu = pgps_process_cpu_time(seen->pid);
	if (seen->stuck_since != 0 && mark->pid == seen->pid &&
		mark->statement == seen->state_change && cpu >= 0 &&
		cpu <= mark->cpu + NEXT_TO_NONE)
		return;
	mark->pid = seen->pid;
	mark->statement = seen->state_change;
	mark->cpu = cpu;
	if (pg_atomic_read_u32(&slot->pid) == (uint32) seen->pid)
		slot->stuck_since = cpu < 0 ? 0 : now;
}
