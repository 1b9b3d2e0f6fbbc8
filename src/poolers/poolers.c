/*-------------------------------------------------------------------------
 *
 * poolers.c
 *	  The poolers that are polled, and the worker that polls them.
 *
 * Written by the poller alone.  The table of poolers is guarded by
 * PGPS_POOLERS_LOCK, which is held for copying only.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/shmem.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"
#include "registry/bindings.h"

/* between two attempts to start the poller */
#define START_INTERVAL (2 * USECS_PER_SEC)

typedef struct PoolersShared
{
	pg_atomic_uint32 poller_pid;	/* 0 = it does not run */
	pg_atomic_uint32 no_worker; /* there was none left to start it with */
	pg_atomic_uint32 without_room;	/* poolers that are not polled */
	PgpsPooler	pooler[PGPS_MAX_POOLERS];
} PoolersShared;

static PoolersShared *shared = NULL;

const PgpsPooler pgps_unknown_pooler = {
	.max_client_conn = -1,
	.clients = -1,
	.max_db_connections = -1,
	.query_wait_timeout = -1,
	.bytes_received = -1,
	.bytes_sent = -1,
	.client_parses = -1,
	.server_parses = -1,
	.binds = -1
};

Size
pgps_poolers_size(void)
{
	return sizeof(PoolersShared);
}

/* The area is zeroed: no names. */
void
pgps_poolers_init(void *area, bool found)
{
	shared = area;
	if (found)
		return;
	pg_atomic_init_u32(&shared->poller_pid, 0);
	pg_atomic_init_u32(&shared->no_worker, 0);
	pg_atomic_init_u32(&shared->without_room, 0);
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

PgpsPooler *
pgps_poolers_copy(void)
{
	PgpsPooler *copy = palloc(sizeof(shared->pooler));

	pgps_acquire(PGPS_POOLERS_LOCK, LW_SHARED);
	memcpy(copy, shared->pooler, sizeof(shared->pooler));
	pgps_release(PGPS_POOLERS_LOCK);
	return copy;
}

/* How many poolers is there no room for? */
int
pgps_poolers_left_out(void)
{
	return (int) pg_atomic_read_u32(&shared->without_room);
}

bool
pgps_poller_runs(void)
{
	return pg_atomic_read_u32(&shared->poller_pid) != 0;
}

/* Was there no free worker process when the poller was last to be started? */
bool
pgps_poller_has_no_worker(void)
{
	return pg_atomic_read_u32(&shared->no_worker) != 0;
}

/* The pooler that holds this session, if one is known to. */
static bool
my_pooler(char *name)
{
	int			number = pgps_pooler_of(MyProcNumber, MyProcPid);

	if (number == PGPS_NO_POOLER)
		return false;
	pgps_acquire(PGPS_POOLERS_LOCK, LW_SHARED);
	memcpy(name, shared->pooler[number].name, PGPS_POOL_LEN);
	pgps_release(PGPS_POOLERS_LOCK);
	return name[0] != '\0';
}

/*
 * Which pooler does this session come through?  One that is polled and knows
 * the connection, else the listed address it comes from; empty = none.
 */
void
pgps_identify_pooler(char *via, const char *client_addr)
{
	memset(via, 0, PGPS_POOL_LEN);
	if (!my_pooler(via) && pgps_is_pooler_address(client_addr))
		strlcpy(via, client_addr, PGPS_POOL_LEN);
}

/*-------------------------------------------------------------------------
 * The poller
 *-------------------------------------------------------------------------
 */

/*
 * Start the poller if there is something to poll and it does not run.  After
 * it ended there is a pause before it is started again.
 */
void
pgps_poller_start(TimestampTz now)
{
	static TimestampTz started_at = 0;
	BackgroundWorker worker = {
		.bgw_name = "pgpool_stats poller",
		.bgw_type = "pgpool_stats poller",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "pgpool_stats_poller",
		.bgw_function_name = "pgps_poller_main",
	};
	bool		started;

	if (pgps_pooler_list == NULL || pgps_pooler_list->count == 0 ||
		pgps_poller_runs() ||
		pgps_elapsed(started_at, now) < START_INTERVAL)
		return;
	started_at = now;
	started = RegisterDynamicBackgroundWorker(&worker, NULL);
	if (!started && !pgps_poller_has_no_worker())
		ereport(LOG,
				(errmsg("pgpool_stats cannot start its poller"),
				 errhint("Raise max_worker_processes.")));
	pg_atomic_write_u32(&shared->no_worker, started ? 0 : 1);
}

/* Become the poller; false if there is one. */
bool
pgps_poller_begin(void)
{
	uint32		nobody = 0;

	return pg_atomic_compare_exchange_u32(&shared->poller_pid, &nobody,
										  MyProcPid);
}

/* The poller ends: the poolers are not known any more. */
void
pgps_poller_end(void)
{
	int			i;

	for (i = 0; i < PGPS_MAX_POOLERS; i++)
		pgps_pooler_forget(i);
	pgps_poolers_without_room(0);
	pg_atomic_write_u32(&shared->poller_pid, 0);
}

/* So many of the setting are not polled. */
void
pgps_poolers_without_room(int count)
{
	pg_atomic_write_u32(&shared->without_room, count);
}

/*
 * A number for a new pooler.  PGPS_NO_POOLER if there is none left, or it has
 * the name of another.
 */
int
pgps_pooler_number(const char *name, const char *listed)
{
	TimestampTz now = GetCurrentTimestamp();
	int			number = PGPS_NO_POOLER;
	int			i;

	pgps_acquire(PGPS_POOLERS_LOCK, LW_EXCLUSIVE);
	for (i = PGPS_MAX_POOLERS - 1; i >= 0; i--)
	{
		if (shared->pooler[i].name[0] == '\0')
			number = i;
		else if (strcmp(shared->pooler[i].name, name) == 0)
			break;
	}
	if (i >= 0)
		number = PGPS_NO_POOLER;
	if (number != PGPS_NO_POOLER)
	{
		PgpsPooler *pooler = &shared->pooler[number];

		*pooler = pgps_unknown_pooler;
		strlcpy(pooler->name, name, PGPS_POOL_LEN);
		strlcpy(pooler->listed, listed, PGPS_POOL_LEN);
		pooler->listed_at = now;
	}
	pgps_release(PGPS_POOLERS_LOCK);
	return number;
}

/* Forget a pooler that is not polled any more. */
void
pgps_pooler_forget(int number)
{
	pgps_pooler_bind(number, NULL, 0);
	pgps_acquire(PGPS_POOLERS_LOCK, LW_EXCLUSIVE);
	memset(&shared->pooler[number], 0, sizeof(PgpsPooler));
	pgps_release(PGPS_POOLERS_LOCK);
}

/*
 * A poll failed.  The figures of the last one stay, with their time, and the
 * pooler keeps its connections.
 */
void
pgps_pooler_failed(int number, const char *error)
{
	PgpsPooler *pooler = &shared->pooler[number];

	pgps_acquire(PGPS_POOLERS_LOCK, LW_EXCLUSIVE);
	pooler->reachable = false;
	pooler->clients = -1;
	strlcpy(pooler->error, error, PGPS_ERROR_LEN);
	pgps_release(PGPS_POOLERS_LOCK);
}

void
pgps_pooler_answered(int number, const PgpsPooler *pooler)
{
	PgpsPooler *shown = &shared->pooler[number];
	PgpsPooler	before;

	pgps_acquire(PGPS_POOLERS_LOCK, LW_EXCLUSIVE);
	before = *shown;
	*shown = *pooler;
	memcpy(shown->listed, before.listed, PGPS_POOL_LEN);
	shown->listed_at = before.listed_at;
	if (!shown->comes_from_known && before.comes_from_known)
	{
		memcpy(shown->comes_from, before.comes_from, PGPS_ADDR_LEN);
		shown->comes_from_known = true;
	}
	pgps_release(PGPS_POOLERS_LOCK);
}
