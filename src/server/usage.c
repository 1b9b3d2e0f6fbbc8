/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  What the server as a whole uses, and how sessions' use is sampled.
 *
 * The pools' counters go on over a restart and begin again with reset().  So
 * does what is measured of the server: whoever first meets another reset than
 * the last begins anew, with what the pools have by then.  WAL is a difference
 * of positions, which outlives a restart by itself; CPU time begins with the
 * postmaster, and what was before is saved.
 *
 * On a standby nobody here writes WAL, and after its promotion the positions
 * say what others wrote: then the server's is unknown until the next reset,
 * unless the pools have none either.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "registry/backends.h"
#include "server/processes.h"
#include "server/usage.h"

#define CPU_INTERVAL (10 * USECS_PER_SEC)

/* the part of a core that looking at memory may take: one in so many */
#define MEMORY_PART 1000

/* guarded by its spinlock */
typedef struct Shared
{
	slock_t		mutex;
	bool		begun;
	TimestampTz reset;			/* with which it began */
	XLogRecPtr	wal_from;		/* position then; invalid = unknown ... */
	int64		wal_before;		/* ... and what the pools had written */
	int64		cpu_from;		/* the same of CPU time */
	int64		cpu_before;
	int64		cpu_base;		/* the part that exporters leave out, see
								 * registry/restore.c */
} Shared;

static Shared *shared = NULL;

Size
pgps_usage_size(void)
{
	return sizeof(Shared);
}

void
pgps_usage_init(void *area, bool found)
{
	shared = area;
	if (!found)
		SpinLockInit(&shared->mutex);
}

/*-------------------------------------------------------------------------
 * Sessions
 *-------------------------------------------------------------------------
 */

/* Ask for the CPU time of all client backends: a system call for each. */
void
pgps_sample_cpu(void)
{
	int			i;

	for (i = 0; i < MaxConnections; i++)
		pgps_backend_sample(i, PGPS_SAMPLED_CPU, pgps_process_cpu_time);
}

/* Ask for the memory of one client backend after the other. */
static void
sample_memory(void)
{
	static int	next = 0;
	static TimestampTz not_before = 0;
	TimestampTz start = GetCurrentTimestamp();
	int			i;

	if (start < not_before &&
		not_before - start < MEMORY_PART * USECS_PER_SEC)
		return;
	for (i = 0; i < MaxConnections; i++)
	{
		int			procno = next++ % MaxConnections;

		next %= MaxConnections;
		if (pg_atomic_read_u32(&pgps_slot(procno)->pid) == 0)
			continue;
		pgps_backend_sample(procno, PGPS_SAMPLED_MEMORY, pgps_process_memory);
		break;
	}
	not_before = start + MEMORY_PART * (GetCurrentTimestamp() - start);
}

/* At each pass of the collector */
void
pgps_sample_usage(TimestampTz now)
{
	static TimestampTz cpu_at = 0;

	if (pgps_elapsed(cpu_at, now) >= CPU_INTERVAL)
	{
		pgps_sample_cpu();
		cpu_at = now;
	}
	sample_memory();
}

/*-------------------------------------------------------------------------
 * The server
 *-------------------------------------------------------------------------
 */

/*
 * What the server has used since the last reset, if the pools have used so
 * much of it.
 */
PgpsServerUsage
pgps_measure_server(TimestampTz reset, const PgpsServerUsage *accounted)
{
	PgpsServerUsage usage = {.cpu_time = -1,.wal_bytes = -1};
	XLogRecPtr	wal = RecoveryInProgress() ? InvalidXLogRecPtr :
		GetXLogInsertRecPtr();
	int64		cpu = pgps_all_cpu_time();

	SpinLockAcquire(&shared->mutex);
	if (!shared->begun || shared->reset != reset)
	{
		shared->begun = true;
		shared->reset = reset;
		shared->wal_from = wal;
		shared->wal_before = accounted->wal_bytes;
		shared->cpu_from = cpu;
		shared->cpu_before = accounted->cpu_time;
		shared->cpu_base = 0;
	}
	else if (XLogRecPtrIsInvalid(wal))
		shared->wal_from = wal;
	else if (XLogRecPtrIsInvalid(shared->wal_from) &&
			 accounted->wal_bytes == 0)
	{
		shared->wal_from = wal;
		shared->wal_before = 0;
	}
	if (!XLogRecPtrIsInvalid(shared->wal_from) && wal >= shared->wal_from)
		usage.wal_bytes = shared->wal_before + (wal - shared->wal_from);
	if (cpu >= 0 && shared->cpu_from >= 0)
		usage.cpu_time = shared->cpu_before + Max(cpu - shared->cpu_from, 0);
	SpinLockRelease(&shared->mutex);
	return usage;
}

/*
 * As exporters get it.  A position of the WAL does not step back, not even in a
 * crash.
 */
PgpsServerUsage
pgps_exported_server(PgpsServerUsage usage)
{
	if (usage.cpu_time >= 0)
		usage.cpu_time = Max(usage.cpu_time - shared->cpu_base, 0);
	return usage;
}

/* What is to be saved; returns whether there is something */
int
pgps_usage_copy(PgpsSavedUsage *saved)
{
	int64		cpu = pgps_all_cpu_time();
	bool		begun;

	SpinLockAcquire(&shared->mutex);
	begun = shared->begun;
	saved->reset = shared->reset;
	saved->wal_from = shared->wal_from;
	saved->wal_before = shared->wal_before;
	saved->cpu_base = shared->cpu_base;
	saved->cpu_time = cpu < 0 || shared->cpu_from < 0 ? -1 :
		shared->cpu_before + Max(cpu - shared->cpu_from, 0);
	SpinLockRelease(&shared->mutex);
	return begun;
}

/* Only for the starting postmaster */
void
pgps_usage_restore(const PgpsSavedUsage *saved, bool crashed)
{
	shared->begun = true;
	shared->reset = saved->reset;
	shared->wal_from = saved->wal_from;
	shared->wal_before = saved->wal_before;
	shared->cpu_before = saved->cpu_time;
	shared->cpu_base = crashed ? Max(saved->cpu_time, 0) : saved->cpu_base;
	shared->cpu_from = saved->cpu_time < 0 ? -1 : pgps_all_cpu_time();
}
