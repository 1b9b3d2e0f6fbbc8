/*-------------------------------------------------------------------------
 *
 * backends.c
 *	  A slot for each possible client backend.
 *
 * The slot of a backend is the one with its process number.  It is written by
 * that backend alone: everything before it is published by its pid, and
 * later only flags, counts and times, which readers take in one piece; reports
 * of others write what they say of it.
 *
 * A backend counts its transactions in its slot, by plain adds.  What belongs
 * to its instance of that is moved to the instance's entry when the backend
 * leaves it, under the entry's spinlock and change count: see copy.c for how a
 * reader finds each transaction in one of them.
 *
 * Which instance a slot is at stands in an array of its own, so that who looks
 * for the slots of one does not touch the others.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "base/compat.h"
#include "registry/backends.h"

static char *slots = NULL;
static volatile int32 *instance_of = NULL;	/* number + 1; 0 = none */

/* this session's own; NULL in every process that is no client backend */
PgpsSlot   *pgps_my_slot = NULL;

/* hashes of the label that it last had, and whether that was not the first */
static uint64 my_pool = 0;
static uint64 my_instance = 0;
static bool my_relabelled = false;

/* Slots share no cache line. */
#define SLOT_SIZE TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(PgpsSlot))

PgpsSlot *
pgps_slot(int procno)
{
	return (PgpsSlot *) (slots + procno * SLOT_SIZE);
}

/*
 * Client backends have the first MaxConnections process numbers.
 */
Size
pgps_backends_size(void)
{
	Size		size = add_size(PG_CACHE_LINE_SIZE,
								mul_size(MaxConnections, SLOT_SIZE));

	return add_size(size, mul_size(MaxConnections, sizeof(int32)));
}

void
pgps_backends_init(void *area, bool found)
{
	slots = (char *) TYPEALIGN(PG_CACHE_LINE_SIZE, area);
	instance_of = (int32 *) (slots + MaxConnections * SLOT_SIZE);
}

/* Take this session's slot.  Only for client backends. */
void
pgps_backend_claim(void)
{
	PgpsSlot   *slot = pgps_slot(MyProcNumber);

	Assert(MyProcNumber < MaxConnections);
	slot->status = MyBEEntry;
	memset(&slot->roleid, 0, sizeof(PgpsSlot) - offsetof(PgpsSlot, roleid));
	pgps_slot_begin_used(slot);
	slot->roleid = MyProc->roleId;
	slot->dbid = MyDatabaseId;
	pgps_client_addr(slot->client_addr);
	pg_write_barrier();
	pg_atomic_write_u32(&slot->pid, MyProcPid);
	pgps_my_slot = slot;
}

static uint64
hash_name(const char *name)
{
	return hash_bytes_extended((const unsigned char *) name, strlen(name), 0);
}

/*
 * What this session says of itself.  A label that takes the place of another
 * is a pooler's doing; one that comes to it later is not.
 */
void
pgps_backend_describe(const PgpsIdentity *identity)
{
	pgps_my_slot->labelled = identity->labelled;
	if (identity->labelled)
	{
		uint64		pool = hash_name(identity->pool);
		uint64		instance = identity->instance_labelled ?
			hash_name(identity->instance) : 0;

		if ((my_pool != 0 && my_pool != pool) ||
			(my_instance != 0 && instance != 0 && my_instance != instance))
			pgps_my_slot->several = my_relabelled = true;
		my_pool = pool;
		if (instance != 0)
			my_instance = instance;
	}
}

/* The instance that a slot is at */
int32
pgps_instance_at(int procno)
{
	return instance_of[procno] - 1;
}

int32
pgps_backend_instance(void)
{
	return pgps_my_slot ? pgps_instance_at(MyProcNumber) : PGPS_NO_INSTANCE;
}

/* Start of this session's current or last transaction; 0 = none yet */
TimestampTz
pgps_backend_last_xact(void)
{
	return pgps_my_slot ? pgps_my_slot->xact_start : 0;
}

/* End of its last one; 0 = none yet */
TimestampTz
pgps_backend_last_end(void)
{
	return pgps_my_slot ? pgps_my_slot->last_end : 0;
}

/* Have several identities used this session, one after the other? */
bool
pgps_backend_is_multiplexed(void)
{
	return pgps_my_slot != NULL && pgps_my_slot->several;
}

/* Did a label of this session take the place of another? */
bool
pgps_backend_is_relabelled(void)
{
	return my_relabelled;
}

/* Does this session, which is about to report, do nothing else? */
bool
pgps_backend_only_reports(void)
{
	return pgps_my_slot != NULL && pgps_my_slot->xacts <= pgps_my_slot->reports + 1;
}

/* Did this session, which goes, do nothing but report? */
bool
pgps_backend_only_reported(void)
{
	return pgps_my_slot != NULL && pgps_slot_only_reports(pgps_my_slot);
}

/* This session reports.  That says nothing of whose connection it is. */
void
pgps_backend_note_report(void)
{
	if (pgps_my_slot != NULL)
		pgps_my_slot->reports++;
}

/*
 * What this session counts from now on is for an entry of that generation.
 * Whoever sees the generation sees that nothing is counted yet.
 */
void
pgps_backend_begin_counts(uint32 generation)
{
	PgpsSlot   *slot = pgps_my_slot;
	PgpsTimes	counted = pgps_slot_counted(slot);

	slot->base_xacts = slot->xacts;
	slot->base_xact_time = slot->total_xact_time;
	pgps_slot_used(slot, slot->base_used);

	/* what has passed elsewhere of the one that runs stays there */
	slot->base_times.in_xact = Max(slot->base_times.in_xact, counted.in_xact);
	slot->base_times.idle = Max(slot->base_times.idle, counted.idle);
	memset(&slot->histogram, 0, sizeof(slot->histogram));
	pg_write_barrier();
	slot->generation = generation;
}

/*
 * This session is at an instance from now on.  Caller holds the registry's
 * lock exclusively.
 */
void
pgps_backend_enter(int32 instance, uint32 generation, TimestampTz now)
{
	PgpsSlot   *slot = pgps_my_slot;

	slot->base_times = slot->load_base = pgps_slot_passed(slot, now);
	pgps_backend_begin_counts(generation);
	pg_write_barrier();
	instance_of[MyProcNumber] = instance + 1;
}

/*
 * Add what a slot counts for an entry of that generation.  Returns whether
 * there is anything but its part of the load.
 */
bool
pgps_own_add(PgpsCounters *counters, const PgpsOwnCounts *own,
			 uint32 generation)
{
	int			i;

	pgps_raise_count(counters, PGPS_LOAD_TIME, own->so_far.in_xact);
	pgps_raise_count(counters, PGPS_LOAD_IDLE_TIME, own->so_far.idle);
	if (own->generation != generation)
		return false;
	pgps_raise_count(counters, PGPS_SERVER_XACTS, own->xacts);
	pgps_raise_count(counters, PGPS_XACT_TIME, own->xact_time);
	pgps_raise_count(counters, PGPS_IN_XACT_TIME, own->counted.in_xact);
	pgps_raise_count(counters, PGPS_IDLE_IN_XACT_TIME, own->counted.idle);
	for (i = 0; i < PGPS_NUSED; i++)
		pgps_raise_count(counters, PGPS_CPU_TIME + i, own->used[i]);
	return true;
}

/* What of a slot's counts is its instance's */
void
pgps_slot_own(PgpsOwnCounts *own, const PgpsSlot *slot,
			  const PgpsTimes *counted, const PgpsTimes *so_far)
{
	int			i;

	own->generation = slot->generation;
	pg_read_barrier();
	own->xacts = slot->xacts - slot->base_xacts;
	own->xact_time = slot->total_xact_time - slot->base_xact_time;
	own->counted = pgps_times_since(counted, &slot->base_times);
	own->so_far = pgps_times_since(so_far, &slot->load_base);
	pgps_slot_used(slot, own->used);
	for (i = 0; i < PGPS_NUSED; i++)
		own->used[i] -= slot->base_used[i];
}

/*
 * This session is at its instance no more: what it counted is added to the
 * instance's own counts.  Caller holds the spinlock of the entry, and its
 * change count says so.  What has passed of a running transaction is the
 * instance's.
 */
void
pgps_backend_hand_over(uint32 generation, TimestampTz now,
					   PgpsCounters *counters, PgpsHistogram *histogram)
{
	PgpsTimes	passed = pgps_slot_passed(pgps_my_slot, now);
	PgpsOwnCounts own;

	pgps_slot_own(&own, pgps_my_slot, &passed, &passed);
	if (pgps_own_add(counters, &own, generation))
		pgps_histogram_add(histogram, &pgps_my_slot->histogram);
	instance_of[MyProcNumber] = 0;
}

/* The session's slot is free.  It is at no instance any more. */
void
pgps_backend_release(void)
{
	pg_atomic_write_u32(&pgps_my_slot->pid, 0);
	pgps_my_slot = NULL;
}

/*
 * Add what all slots count for an instance.  It is right if none was handed
 * over meanwhile: the instance's change count is the same, or the caller holds
 * its spinlock.
 */
void
pgps_backends_sum(int32 instance, uint32 generation, TimestampTz now,
				  PgpsCounters *counters, PgpsHistogram *histogram)
{
	PgpsBackend backend;
	int			i;

	for (i = 0; i < MaxConnections; i++)
	{
		if (instance_of[i] != instance + 1)
			continue;
		if (pgps_backend_copy(&backend, i, now) &&
			pgps_own_add(counters, &backend.own, generation) &&
			histogram != NULL)
			pgps_histogram_add(histogram, pgps_backend_histogram(&backend));
	}
}

/*
 * A report of an instance names connections by pid: those lent out, or those
 * idle in the pool.  A slot that changes hands meanwhile does no harm: its new
 * owner was busy after "now".
 */
void
pgps_backends_note_pids(int32 instance, const PgpsPids *lent,
						const PgpsPids *idle, TimestampTz now)
{
	int			i;

	for (i = 0; i < MaxConnections; i++)
	{
		PgpsSlot   *slot = pgps_slot(i);
		int			pid;

		if (instance_of[i] != instance + 1)
			continue;
		pid = pg_atomic_read_u32(&slot->pid);
		if (pid == 0)
			continue;
		if (lent->reported ? pgps_has_pid(lent, pid) : !pgps_has_pid(idle, pid))
			slot->lent_at = now;
		else
			slot->idle_at = now;
	}
}

/* The histogram of what a backend counts for its instance, in place */
const PgpsHistogram *
pgps_backend_histogram(const PgpsBackend *backend)
{
	return &pgps_slot(backend->procno)->histogram;
}

/*
 * Number of processes that take one of max_connections, those that are still
 * authenticating included.  Read without a lock.
 */
int
pgps_client_processes(void)
{
	int			i,
				n = 0;

	for (i = 0; i < MaxConnections; i++)
	{
		if (pgps_proc_pid(&ProcGlobal->allProcs[i]) != 0)
			n++;
	}
	return n;
}
