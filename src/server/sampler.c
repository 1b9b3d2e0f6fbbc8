/*-------------------------------------------------------------------------
 *
 * sampler.c
 *	  What connections that are in a transaction do: samples.
 *
 * How long connections are in transactions, and idle in them, is counted.
 * Samples only tell what they did while they were active.  A parallel worker
 * counts with its leader.
 *
 * They also bridge a gap in what is counted: how long a session was idle is
 * known to itself as soon as its next statement comes, but to others only
 * when that has been analysed, and it may wait for a lock until then.
 *
 * This is the collector's own memory.  Of others' it reads a few fields in
 * place, without a lock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/proc.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/clock.h"
#include "base/settings.h"
#include "registry/registry.h"
#include "registry/xact_times.h"
#include "server/queries.h"
#include "server/sampler.h"

/* how often a state is read that is being written */
#define READ_TRIES 10

/* a spell whose end was not seen, but is that near, is taken to have one end */
#define NEAR USECS_PER_SEC

/* the last time that a session was seen idle in its transaction */
typedef struct Spell
{
	int			pid;
	int64		xacts;			/* that it had had before that transaction */
	TimestampTz began;
	int64		before;			/* idle time before it, since it connected */
	TimestampTz until;			/* it was seen last */
} Spell;

static PgpsSamples *samples = NULL; /* by number of the pool */
static Spell *spells = NULL;	/* by number of the process */

/* What a process is busy with that waits for this; 0 = for nothing */
PgpsLoadPart
pgps_load_part(uint32 wait_event)
{
	/* of type IPC, but somebody else reads or writes what it waits for */
	if (wait_event == WAIT_EVENT_BUFFER_IO)
		return PGPS_PART_IO;
	switch (wait_event & 0xFF000000)
	{
		case 0:
			return PGPS_PART_CPU;
		case PG_WAIT_IO:
			return PGPS_PART_IO;
		case PG_WAIT_LOCK:
			return PGPS_PART_LOCK;
		case PG_WAIT_LWLOCK:
			return PGPS_PART_LWLOCK;
		case PG_WAIT_CLIENT:
			return PGPS_PART_CLIENT;
		default:
			return PGPS_PART_OTHER;
	}
}

/* The session is idle in its transaction since then. */
static void
note_spell(Spell *spell, const PgpsSlot *slot, int pid, TimestampTz since,
		   TimestampTz now)
{
	int64		before = slot->idle_time + slot->running_idle;

	if (spell->pid != pid || spell->xacts != slot->xacts)
	{
		spell->pid = pid;
		spell->xacts = slot->xacts;
		spell->began = 0;
	}
	if (spell->began != since)
	{
		if (spell->began != 0)
			before = Max(before, spell->before + spell->until - spell->began);
		spell->before = before;
		spell->began = since;
	}
	spell->until = Max(now, since);
}

static void
sample_backend(int procno, int32 pool, TimestampTz now, int64 time)
{
	const PgpsSlot *slot = pgps_slot(procno);
	volatile PgBackendStatus *status = slot->status;
	PgpsSamples *of = &samples[pool];
	BackendState state;
	TimestampTz since;
	int64		queryid;
	bool		in_xact;
	int			part = PGPS_PARTS;
	int			tries = 0;
	int			before,
				after;

	do
	{
		pgstat_begin_read_activity(status, before);
		state = status->st_state;
		since = status->st_state_start_timestamp;
		queryid = status->st_query_id;
		in_xact = status->st_xact_start_timestamp != 0;
		pgstat_end_read_activity(status, after);
	} while (!pgstat_read_activity_complete(before, after) &&
			 ++tries < READ_TRIES);
	if (!in_xact && (slot->changes & PGPS_IN_XACT) == 0)
		return;
	of->seen++;
	if (state == STATE_DISABLED)
	{
		of->blind++;
		return;
	}
	if (state == STATE_IDLEINTRANSACTION ||
		state == STATE_IDLEINTRANSACTION_ABORTED)
		note_spell(&spells[procno], slot,
				   pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &slot->pid)),
				   since, now);
	else
	{
		part = pgps_load_part(ProcGlobal->allProcs[procno].wait_event_info);
		of->part[part]++;
	}
	if (time > 0)
		pgps_queries_add(pool, queryid, part, time);
}

/* A parallel worker of somebody whom we count? */
static void
sample_worker(const PGPROC *proc)
{
	const PGPROC *leader = *(PGPROC *const volatile *) &proc->lockGroupLeader;
	int			procno;
	int32		pool;

	if (leader == NULL || leader == proc)
		return;
	procno = leader - ProcGlobal->allProcs;
	pool = procno < MaxConnections ? pgps_pool_at(procno) : PGPS_NO_POOL;
	if (pool != PGPS_NO_POOL)
		samples[pool].part[pgps_load_part(proc->wait_event_info)]++;
}

/* Look at all connections once. */
void
pgps_sample(void)
{
	static TimestampTz last = 0;
	TimestampTz now = GetCurrentTimestamp();
	int64		time = 0;
	int			i;

	/* after a pause, a sample does not stand for all of it */
	if (pgps_track_queries)
		time = Min(pgps_elapsed(last, now),
				   2 * pgps_load_interval * INT64CONST(1000));
	last = now;
	if (samples == NULL)
	{
		spells = MemoryContextAllocZero(TopMemoryContext,
										MaxConnections * sizeof(Spell));
		samples = MemoryContextAllocZero(TopMemoryContext,
										 pgps_pool_capacity() * sizeof(PgpsSamples));
	}
	if (time > 0)
		pgps_queries_begin();
	for (i = 0; i < MaxConnections; i++)
	{
		int32		pool = pgps_pool_at(i);

		if (pool != PGPS_NO_POOL)
			sample_backend(i, pool, now, time);
	}
	if (time > 0)
		pgps_queries_end();
	for (; i < MaxBackends; i++)
		sample_worker(&ProcGlobal->allProcs[i]);
}

/* What was seen of a pool since this was asked last */
PgpsSamples
pgps_take_samples(int32 pool)
{
	PgpsSamples taken = {0};

	if (samples != NULL)
	{
		taken = samples[pool];
		memset(&samples[pool], 0, sizeof(PgpsSamples));
	}
	return taken;
}

/* What a backend was idle in its transaction, and has not published as yet */
int64
pgps_unpublished_idle(const PgpsBackend *backend)
{
	const Spell *spell = spells == NULL ? NULL : &spells[backend->procno];
	TimestampTz until;

	if (spell == NULL || spell->pid != backend->pid ||
		spell->xacts != backend->xacts || !backend->in_xact)
		return 0;
	until = spell->until;
	if (backend->idle_in_xact && backend->state_change == spell->began)
		until = spell->began;	/* the spell goes on, and is seen */
	else if (!backend->idle_in_xact && backend->state_change >= spell->began &&
			 backend->state_change - until < NEAR)
		until = backend->state_change;
	return Max(spell->before + until - spell->began - backend->published_idle, 0);
}
