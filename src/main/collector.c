/*-------------------------------------------------------------------------
 *
 * collector.c
 *	  The background worker: keeps peaks, history, statuses and alerts, removes
 *	  what expired, has it saved.
 *
 * Readers do not depend on it: they judge for themselves.  It is initialized
 * without a database, so that it shows in pg_stat_activity and never blocks a
 * DROP DATABASE.  Its transactions only read the shared catalogs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "alerts/alerts.h"
#include "analysis/budget.h"
#include "analysis/forks.h"
#include "analysis/history.h"
#include "analysis/load.h"
#include "analysis/snapshot.h"
#include "analysis/stops.h"
#include "analysis/usage.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/settings.h"
#include "main/main.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/histogram.h"
#include "registry/life.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/sampler.h"
#include "server/stuck.h"
#include "server/usage.h"

#define COLLECTOR_NAME "pgpool_stats collector"
#define RESTART_SECONDS 1
#define OVERFLOW_LOG_INTERVAL (60 * USECS_PER_SEC)

/* Called while the server loads its libraries */
void
pgps_collector_register(void)
{
	BackgroundWorker worker = {
		.bgw_name = COLLECTOR_NAME,
		.bgw_type = COLLECTOR_NAME,
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = RESTART_SECONDS,
		.bgw_library_name = "pgpool_stats",
		.bgw_function_name = "pgps_collector_main",
	};

	RegisterBackgroundWorker(&worker);
}

static void
forget_collector(int code, Datum arg)
{
	pgps_registry_note_collector(0);
}

/* connections of an instance in a transaction */
typedef struct InXact
{
	int			n;
	TimestampTz newest;			/* when the last of them began */
} InXact;

/*
 * How many connections of each instance were in a transaction at once: those
 * that still are in the same one, after all were looked at.
 */
static InXact *
count_in_xact(const PgpsSnapshot *snapshot)
{
	InXact	   *in_xact = palloc0(Max(snapshot->ninstances, 1) * sizeof(InXact));
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		InXact	   *of;

		if (!backend->in_xact || backend->instance == PGPS_NO_INSTANCE ||
			!pgps_backend_is_still_in_xact(backend))
			continue;
		of = &in_xact[snapshot->by_index[backend->instance] - snapshot->instances];
		of->n++;
		of->newest = Max(of->newest, backend->last_xact);
	}
	return in_xact;
}

static bool
is_anybody_in_xact(const PgpsSnapshot *snapshot)
{
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		if (snapshot->backends[i].in_xact)
			return true;
	}
	return false;
}

/* One pass: look at everything once.  Returns whether anybody is busy. */
static bool
pass(TimestampTz now)
{
	bool		turn = pgps_registry_turn_is_due(now);
	PgpsSnapshot *snapshot = pgps_take_snapshot(turn ? PGPS_ALL_XACTS :
												PGPS_NO_HISTOGRAMS);
	const InXact *in_xact = count_in_xact(snapshot);
	PgpsStop	stop = pgps_find_stop(snapshot);
	int32	   *expired = palloc(Max(snapshot->ninstances, 1) * sizeof(int32));
	int			nexpired = 0;
	int			i;

	for (i = 0; i < snapshot->ninstances; i++)
	{
		const PgpsInstanceState *state = &snapshot->instances[i];

		pgps_registry_note_in_xact(state->copy, in_xact[i].n,
								   in_xact[i].newest, snapshot->backends_at);
		if (turn)
			pgps_registry_turn(state->copy);
		if (state->now.status != (PgpsStatus) state->data->status)
			pgps_registry_note_status(state->copy, state->now.status,
									  state->status_since);
		if (state->via != NULL && strcmp(state->via, state->data->via) != 0)
			pgps_registry_note_via(state->copy, state->via);
		else if (state->direct && state->data->via[0] != '\0')
			pgps_registry_note_via(state->copy, "");
		if (state->server.connections == 0 &&
			pgps_instance_expires(state->data, now))
			expired[nexpired++] = state->copy->index;
	}
	if (turn)
		pgps_registry_turned(now);
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *state = &snapshot->pools[i];
		PgpsDay		today = pgps_today(state->data, now);
		int64		committed = state->committed - state->unproven;

		if (state->peak_instances > state->data->peak_instances ||
			state->lent > today.lent || committed > today.committed)
			pgps_registry_note_peaks(state->copy, state->live, state->lent,
									 committed, now);
	}
	for (i = 0; i < snapshot->nbackends; i++)
		pgps_note_stuck(&snapshot->backends[i], now);
	pgps_forks_note(snapshot);
	pgps_load_note(snapshot);
	pgps_usage_note(snapshot);
	pgps_sessions_settle(now);
	pgps_history_note(snapshot);
	pgps_alerts_evaluate(snapshot);
	pgps_registry_expire(expired, nexpired, now);
	pgps_registry_trim(now);
	pgps_registry_expire_pools(now);
	pgps_registry_note_pass(now, pgps_server_status(snapshot->rejections),
							stop.from, stop.until);
	return is_anybody_in_xact(snapshot);
}

/* Log once a minute that the registry is full, however often it happens. */
static void
log_overflow(TimestampTz now)
{
	static uint64 logged = 0;
	static TimestampTz logged_at = 0;
	PgpsRegistryInfo info;

	pgps_registry_info(&info);
	if (info.overflowed < logged)
		logged = 0;				/* reset() */
	if (info.overflowed > logged &&
		pgps_elapsed(logged_at, now) >= OVERFLOW_LOG_INTERVAL)
	{
		ereport(LOG,
				(errmsg("pgpool_stats has no room for some pools or instances"),
				 errdetail(UINT64_FORMAT " reports and connections were counted under \"%s\".",
						   info.overflowed - logged, PGPS_OTHER),
				 errhint("Raise pgpool_stats.max_pools, max_discovered_pools, max_instances or max_instances_per_role, or let pools and instances have stable names.")));
		logged = info.overflowed;
		logged_at = now;
	}
}

/* Wait so many milliseconds, or until somebody wakes us. */
static void
wait_a_while(int time, uint32 wait_event)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 time, wait_event);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/*
 * Wait for the next pass.  When the last one saw somebody in a transaction,
 * what such connections do is sampled until then; who comes in between is seen
 * at the next one.
 */
static void
wait_for_pass(bool busy, uint32 wait_event)
{
	TimestampTz last = GetCurrentTimestamp();
	int			left = pgps_sample_interval;

	while (busy && pgps_load_interval > 0 && left > 0 &&
		   !ShutdownRequestPending && !ConfigReloadPending)
	{
		TimestampTz now;

		pgps_sample();
		wait_a_while(Min(left, pgps_load_interval), wait_event);
		now = GetCurrentTimestamp();
		left -= Max((now - last) / 1000, 1);
		last = now;
	}
	if (left > 0 && !(busy && pgps_load_interval > 0))
		wait_a_while(left, wait_event);
}

void
pgps_collector_main(Datum arg)
{
	MemoryContext context;
	uint32		wait_event;
	bool		busy;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname(COLLECTOR_NAME);

	before_shmem_exit(forget_collector, (Datum) 0);
	pgps_registry_note_collector(MyProcPid);
	context = AllocSetContextCreate(TopMemoryContext, COLLECTOR_NAME,
									ALLOCSET_DEFAULT_SIZES);
	wait_event = WaitEventExtensionNew("PgpoolStatsCollectorMain");

	while (!ShutdownRequestPending)
	{
		TimestampTz now = GetCurrentTimestamp();

		pgps_sample_usage(now);
		StartTransactionCommand();
		MemoryContextSwitchTo(context);
		busy = pass(now);
		CommitTransactionCommand();
		MemoryContextSwitchTo(context);
		log_overflow(now);
		pgps_poller_start(now);
		pgps_save_if_due(now);
		MemoryContextReset(context);

		wait_for_pass(busy, wait_event);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}

	/* exit code 0 would end the worker for good */
	proc_exit(1);
}
