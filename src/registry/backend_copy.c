/*-------------------------------------------------------------------------
 *
 * backend_copy.c
 *	  What a backend counts and does now, read by another process.
 *
 * What a backend is doing is read in place from its PgBackendStatus with
 * core's change count; the snapshot of pg_stat_activity is frozen for the
 * reader's transaction and copies query texts.  No lock is taken.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "libpq/pqcomm.h"
#include "port/atomics.h"
#include "storage/proc.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/wait_event.h"

#include "base/text.h"
#include "registry/backends.h"
#include "registry/bindings.h"
#include "registry/identity.h"
#include "registry/xact_times.h"

/* how often a state is read that is being written, e.g. by a stopped process */
#define READ_STATE_TRIES 100

/* the same of a slot */
#define READ_SLOT_TRIES 100

/* Is it now waiting for its client to read, or to send? */
static bool
waits_for_client(int procno)
{
	uint32		event = ProcGlobal->allProcs[procno].wait_event_info;

	return event == WAIT_EVENT_CLIENT_READ || event == WAIT_EVENT_CLIENT_WRITE;
}

/*
 * Copy a backend's state from its PgBackendStatus; false if it is gone.  What
 * is still being written after some tries, perhaps by a stopped process, is
 * taken as it is: each of its fields is of this moment or of the one before.
 */
static bool
read_state(PgpsBackend *backend, volatile PgBackendStatus *status)
{
	SockAddr	client;
	int			pid;
	int			tries = 0;
	int			before;
	int			after;

	do
	{
		pgstat_begin_read_activity(status, before);
		pid = status->st_procpid;
		backend->state = status->st_state;
		backend->backend_start = status->st_proc_start_timestamp;
		backend->state_change = status->st_state_start_timestamp;
		backend->xact_start = status->st_xact_start_timestamp;
		backend->tls = status->st_ssl;
		backend->copies = status->st_progress_command == PROGRESS_COMMAND_COPY;
		backend->queryid = status->st_query_id;
		memcpy(&client, (const void *) &status->st_clientaddr, sizeof(client));
		memcpy(backend->application_name, (const void *) status->st_appname,
			   NAMEDATALEN);
		pgstat_end_read_activity(status, after);
	} while (!pgstat_read_activity_complete(before, after) &&
			 ++tries < READ_STATE_TRIES);
	if (pid != backend->pid)
		return false;

	backend->application_name[NAMEDATALEN - 1] = '\0';
	backend->idle_in_xact = backend->state == STATE_IDLEINTRANSACTION ||
		backend->state == STATE_IDLEINTRANSACTION_ABORTED;
	backend->in_xact = backend->xact_start != 0 || backend->idle_in_xact;
	backend->last_xact = Max(backend->last_xact, backend->xact_start);
	backend->waits_for_client = backend->state == STATE_RUNNING &&
		waits_for_client(backend->procno);
	backend->client_port = pgps_client_port(&client);
	return true;
}

/*
 * Copy the backend of that process number; false if there is none.  Takes no
 * lock.  Which counts are its instance's is right unless the instance's change
 * count says otherwise.  "now" is for what has passed so far.
 */
bool
pgps_backend_copy(PgpsBackend *backend, int procno, TimestampTz now)
{
	const PgpsSlot *slot = pgps_slot(procno);
	int			tries = 0;
	uint32		changes;

	backend->pid = pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &slot->pid));
	if (backend->pid == 0)
		return false;
	pg_read_barrier();
	backend->instance = pgps_instance_at(procno);
	pg_read_barrier();
	backend->memory = pgps_slot_memory(slot);
	backend->roleid = slot->roleid;
	backend->dbid = slot->dbid;
	backend->labelled = slot->labelled;
	backend->several = slot->several;
	backend->only_reports = pgps_slot_only_reports(slot);
	backend->listens = slot->listens;
	backend->not_limited = slot->not_limited;
	backend->came_later = slot->came_later;
	backend->stuck_since = slot->stuck_since;
	backend->procno = procno;
	backend->lent_at = slot->lent_at;
	backend->idle_at = slot->idle_at;
	backend->pooler = pgps_pooler_of(procno, backend->pid);
	memcpy(backend->client_addr, slot->client_addr, PGPS_ADDR_LEN);
	do
	{
		PgpsTimes	counted;
		PgpsTimes	so_far;

		changes = *(const volatile uint32 *) &slot->changes;
		pg_read_barrier();
		backend->last_xact = slot->xact_start;
		backend->last_end = slot->last_end;
		if (!read_state(backend, slot->status))
			return false;
		backend->xacts = slot->xacts;
		backend->total_xact_time = slot->total_xact_time;
		backend->max_xact_time = slot->max_xact_time;
		backend->published_idle = slot->idle_time + slot->running_idle;
		counted = pgps_slot_counted(slot);
		so_far = pgps_slot_so_far(slot, changes, backend, now);
		pgps_slot_own(&backend->own, slot, &counted, &so_far);
		pg_read_barrier();
	} while (((changes & PGPS_BEING_COUNTED) != 0 ||
			  changes != *(const volatile uint32 *) &slot->changes) &&
			 ++tries < READ_SLOT_TRIES);
	if (backend->state == STATE_DISABLED)
		backend->in_xact = (changes & PGPS_IN_XACT) != 0;
	return pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &slot->pid)) ==
		(uint32) backend->pid;
}

/*
 * Is a backend that was seen in a transaction in the same one now?  All of
 * whom this is so were in one at once.
 */
bool
pgps_backend_is_still_in_xact(const PgpsBackend *seen)
{
	PgpsBackend now;

	return pgps_backend_copy(&now, seen->procno, 0) && now.pid == seen->pid &&
		now.instance == seen->instance && now.xacts == seen->xacts &&
		now.in_xact && now.xact_start == seen->xact_start;
}

/* Does it do, or wait for, the same as when it was seen? */
bool
pgps_backend_state_is_as_seen(const PgpsBackend *seen)
{
	PgpsBackend now;

	return pgps_backend_copy(&now, seen->procno, 0) && now.pid == seen->pid &&
		now.state == seen->state && now.state_change == seen->state_change;
}
