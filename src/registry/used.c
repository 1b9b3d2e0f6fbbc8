/*-------------------------------------------------------------------------
 *
 * used.c
 *	  What a session uses of the server: CPU, memory, WAL, blocks.
 *
 * WAL and blocks the session copies from core's own counts at the end of each
 * transaction (backends.h).  CPU time and memory are asked of the system: CPU
 * by the session itself when it moves or ends, both by others in between.
 *
 * An answer about a process may come when its slot is another's already.  So
 * what is sampled is one word with the number of the slot's owner in its
 * highest bits, and whoever asks for a process replaces the word that was there
 * before he looked which one it is, or nothing.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "port/atomics.h"

#include "registry/backends.h"

#define OWNER_SHIFT 48
#define MAX_SAMPLED (((uint64) 1 << OWNER_SHIFT) - 1)

static inline uint64
read_sampled(const PgpsSlot *slot, PgpsSampled what)
{
	return pg_atomic_read_u64(unconstify(pg_atomic_uint64 *,
										 &slot->sampled[what]));
}

/* The same owner's, with another value */
static inline uint64
with_value(uint64 word, int64 value)
{
	return (word & ~MAX_SAMPLED) | Min((uint64) value, MAX_SAMPLED);
}

/* A slot has a new owner, of whom nothing is known. */
void
pgps_slot_begin_used(PgpsSlot *slot)
{
	int			i;

	for (i = 0; i < PGPS_NSAMPLED; i++)
		pg_atomic_write_u64(&slot->sampled[i],
							((read_sampled(slot, i) >> OWNER_SHIFT) + 1) << OWNER_SHIFT);
	pg_atomic_write_u64(&slot->workers_cpu, 0);
}

/*
 * Ask for something of the client backend of that process number, if there is
 * one.  "measure" returns a negative value where the system does not tell.
 */
void
pgps_backend_sample(int procno, PgpsSampled what, PgpsMeasure measure)
{
	PgpsSlot   *slot = pgps_slot(procno);
	uint64		before = read_sampled(slot, what);
	int			pid;
	int64		value;

	pg_read_barrier();
	pid = pg_atomic_read_u32(&slot->pid);
	if (pid == 0)
		return;
	value = measure(pid);
	if (value >= 0)
		(void) pg_atomic_compare_exchange_u64(&slot->sampled[what], &before,
											  with_value(before, value));
}

/* CPU time of this process so far, microseconds */
static int64
own_cpu_time(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
		return 0;
	return time.tv_sec * USECS_PER_SEC + time.tv_nsec / 1000;
}

/*
 * What this session has used until now belongs to where it was.  Called before
 * it moves or ends, without any lock: it asks the system.
 */
void
pgps_backend_note_used(void)
{
	PgpsSlot   *slot = pgps_my_slot;
	uint64		before = read_sampled(slot, PGPS_SAMPLED_CPU);

	pgps_slot_copy_used(slot);
	pg_atomic_write_u64(&slot->sampled[PGPS_SAMPLED_CPU],
						with_value(before, Max(own_cpu_time(),
											   before & MAX_SAMPLED)));
}

/*
 * This process is a parallel worker that ends.  The process of its leader is
 * there: it waits for its workers also when it exits.  But its session may have
 * ended.
 */
void
pgps_backend_add_worker(int leader_procno, int leader_pid)
{
	PgpsSlot   *slot;

	if (leader_procno >= MaxConnections)
		return;					/* not that of a client */
	slot = pgps_slot(leader_procno);
	if (pg_atomic_read_u32(&slot->pid) == (uint32) leader_pid)
		pg_atomic_fetch_add_u64(&slot->workers_cpu, own_cpu_time());
}

/* What the slot's owner has used so far, in the order of the counters */
void
pgps_slot_used(const PgpsSlot *slot, int64 *used)
{
	used[0] = (read_sampled(slot, PGPS_SAMPLED_CPU) & MAX_SAMPLED) +
		pg_atomic_read_u64(unconstify(pg_atomic_uint64 *, &slot->workers_cpu));
	memcpy(used + 1, &slot->used, sizeof(slot->used));
}

/* Memory of the slot's owner; -1 = not looked at as yet */
int64
pgps_slot_memory(const PgpsSlot *slot)
{
	int64		memory = read_sampled(slot, PGPS_SAMPLED_MEMORY) & MAX_SAMPLED;

	return memory > 0 ? memory : -1;
}
