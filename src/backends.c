/*-------------------------------------------------------------------------
 *
 * backends.c
 *	  A slot for each possible client backend.
 *
 * The slot of a backend is the one with its process number.  It is written by
 * that backend alone: everything before it is published by its pid, and
 * later only "instance", which readers take in one piece.  "instance" changes
 * under the registry's lock, so that a reader who holds that lock never sees
 * the number of an entry that is gone.
 *
 * What a backend is doing is read in place from its PgBackendStatus with
 * core's change count; the snapshot of pg_stat_activity is frozen for the
 * reader's transaction and copies query texts.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/backend_status.h"

#include "backends.h"
#include "compat.h"

typedef struct Slot
{
	pg_atomic_uint32 pid;		/* 0 = free; the rest is valid otherwise */
	int32		instance;
	Oid			roleid;
	Oid			dbid;
	bool		labelled;
	char		client_addr[PGPS_ADDR_LEN];
	PgBackendStatus *status;	/* in shared memory, the same for all */
} Slot;

static Slot *slots = NULL;

/* this session's own; NULL in every process that is no client backend */
static Slot *my_slot = NULL;

/*
 * What this session reported: the hash of the one (pool, instance) it
 * reported for, or that there were several.
 */
static uint64 my_reported = 0;
static bool my_reported_several = false;

/*
 * Client backends have the first MaxConnections process numbers.
 */
Size
pgps_backends_size(void)
{
	return mul_size(MaxConnections, sizeof(Slot));
}

void
pgps_backends_init(void *area)
{
	slots = area;
}

bool
pgps_backend_joined(void)
{
	return my_slot != NULL;
}

/* Take this session's slot.  Only for client backends. */
void
pgps_backend_claim(const PgpsIdentity *identity)
{
	Slot	   *slot = &slots[MyProcNumber];

	Assert(MyProcNumber < MaxConnections);
	slot->instance = PGPS_NO_INSTANCE;
	slot->roleid = identity->roleid;
	slot->dbid = identity->dbid;
	slot->labelled = identity->labelled;
	memcpy(slot->client_addr, identity->client_addr, PGPS_ADDR_LEN);
	slot->status = MyBEEntry;
	pg_write_barrier();
	pg_atomic_write_u32(&slot->pid, MyProcPid);
	my_slot = slot;
}

/* Caller holds the registry's lock exclusively. */
void
pgps_backend_set_instance(int32 instance)
{
	my_slot->instance = instance;
}

int32
pgps_backend_instance(void)
{
	return my_slot ? my_slot->instance : PGPS_NO_INSTANCE;
}

/*
 * Something was reported on this connection; "reported" is a hash of the pool
 * instance.  Only a connection without label on which nobody else ever
 * reported may be taken for one of that instance: a pooler hands one
 * connection to many.
 */
PgpsBinding
pgps_backend_note_report(uint64 reported)
{
	if (my_slot->labelled || my_reported_several)
		return PGPS_KEEP;
	if (my_reported != 0 && my_reported != reported)
	{
		my_reported_several = true;
		return PGPS_UNBIND;
	}
	my_reported = reported;
	return PGPS_BIND;
}

/*
 * Take back what this session's reports meant for its connection.  Returns
 * whether the connection is to go back to where it was without them.
 */
bool
pgps_backend_unbind(void)
{
	bool		bound = my_slot != NULL && !my_slot->labelled &&
		my_reported != 0 && !my_reported_several;

	if (bound)
		my_reported = 0;
	return bound;
}

void
pgps_backend_release(void)
{
	pg_atomic_write_u32(&my_slot->pid, 0);
	my_slot = NULL;
}

/* Copy a backend's state from its PgBackendStatus; false if it is gone. */
static bool
read_state(PgpsBackend *backend, volatile PgBackendStatus *status)
{
	for (;;)
	{
		int			before;
		int			after;
		int			pid;
		BackendState state;
		TimestampTz xact_start;

		pgstat_begin_read_activity(status, before);
		pid = status->st_procpid;
		state = status->st_state;
		xact_start = status->st_xact_start_timestamp;
		backend->last_query = status->st_activity_start_timestamp;
		pgstat_end_read_activity(status, after);
		if (!pgstat_read_activity_complete(before, after))
			continue;

		backend->idle_in_xact = state == STATE_IDLEINTRANSACTION ||
			state == STATE_IDLEINTRANSACTION_ABORTED;
		backend->in_xact = xact_start != 0 || backend->idle_in_xact;
		return pid == backend->pid;
	}
}

/*
 * Copy all backends that are there; "backends" has room for MaxConnections.
 * Returns their number.  Caller holds the registry's lock.
 */
int
pgps_backends_copy(PgpsBackend *backends)
{
	int			i,
				n = 0;

	for (i = 0; i < MaxConnections; i++)
	{
		Slot	   *slot = &slots[i];
		PgpsBackend *backend = &backends[n];

		backend->pid = pg_atomic_read_u32(&slot->pid);
		if (backend->pid == 0)
			continue;
		pg_read_barrier();
		backend->roleid = slot->roleid;
		backend->dbid = slot->dbid;
		backend->instance = slot->instance;
		backend->labelled = slot->labelled;
		memcpy(backend->client_addr, slot->client_addr, PGPS_ADDR_LEN);
		if (read_state(backend, slot->status) &&
			pg_atomic_read_u32(&slot->pid) == (uint32) backend->pid)
			n++;
	}
	return n;
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
