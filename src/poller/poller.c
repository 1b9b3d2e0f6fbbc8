/*-------------------------------------------------------------------------
 *
 * poller.c
 *	  The background worker that asks poolers how they are.
 *
 * A library of its own, so that libpq and all it needs stay out of every
 * other process.  The collector starts it while pgpool_stats.poolers is not
 * empty.  It never waits for a single pooler or name server: each pooler has
 * its own connection and its own deadline (link.c), names are looked up beside
 * them (names.c), and what an entry of the setting leads to is in target.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "fmgr.h"
#include "libpq-fe.h"
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

#include "base/compat.h"
#include "base/settings.h"
#include "poller/link.h"
#include "poller/names.h"
#include "poller/target.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"

#define POLLER_NAME "pgpool_stats poller"

PGPS_MODULE_MAGIC("pgpool_stats_poller", PGPS_VERSION);

pg_noreturn extern PGDLLEXPORT void pgps_poller_main(Datum arg);

static Target *targets[PGPS_MAX_POOLERS];
static int	ntargets = 0;
static WaitEventSet *set = NULL;

static void
end_poller(int code, Datum arg)
{
	pgps_poller_end();
}

/* Give up the entries that are no longer in the setting, take up new ones. */
static void
configure(void)
{
	const PgpsPoolerList *list = pgps_pooler_list;
	TimestampTz now = GetCurrentTimestamp();
	int			count = list ? list->count : 0;
	int			i,
				j;

	names_reset();
	for (i = ntargets - 1; i >= 0; i--)
	{
		for (j = 0; j < count; j++)
		{
			if (target_is(targets[i], list->item[j].name,
						  pgps_pooler_conninfo(list, j)))
				break;
		}
		if (j < count)
			continue;
		target_free(targets[i]);
		targets[i] = targets[--ntargets];
	}

	for (j = 0; j < count; j++)
	{
		const char *name = list->item[j].name;

		for (i = 0; i < ntargets; i++)
		{
			if (strcmp(targets[i]->name, name) == 0)
				break;
		}
		if (i < ntargets)
			continue;
		targets[ntargets++] = target_make(name, pgps_pooler_conninfo(list, j));
		/* so that not all are polled at the same moment */
		target_begin(targets[i], now + (int64) pgps_poll_interval * 1000 * j / count);
	}
	if (set != NULL)
		FreeWaitEventSet(set);
	set = NULL;
}

static void
watch_clock(TimestampTz now)
{
	int			left_out = 0;
	int			nlinks = 0;
	int			i;

	names_watch_clock();
	for (i = 0; i < ntargets; i++)
	{
		target_watch_clock(targets[i], now);
		nlinks += targets[i]->nlinks;
		left_out += targets[i]->left_out;
	}
	pgps_poolers_without_room(left_out);
	guard_limit(nlinks);
}

/* Milliseconds until the clock is to be looked at again */
static long
time_left(TimestampTz now)
{
	TimestampTz next = TimestampTzPlusMilliseconds(now, 60000);
	int			i;

	for (i = 0; i < ntargets; i++)
		next = target_due(targets[i], next);
	return names_time_left(TimestampDifferenceMilliseconds(now, next));
}

/*
 * Make the set of sockets.  libpq may have closed a socket and opened another
 * one under the same number, so any change means a new set.
 */
static void
prepare_set(void)
{
	bool		changed = names_changed() || set == NULL;
	int			nevents = MAX_NAME_SOCKETS + 2;
	int			i,
				j;

	for (i = 0; i < ntargets; i++)
	{
		nevents += targets[i]->nlinks;
		for (j = 0; j < targets[i]->nlinks; j++)
			changed |= targets[i]->links[j]->changed;
	}
	if (!changed)
		return;

	if (set != NULL)
		FreeWaitEventSet(set);
	set = pgps_create_wait_event_set(nevents);
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	names_watch(set);
	for (i = 0; i < ntargets; i++)
	{
		for (j = 0; j < targets[i]->nlinks; j++)
		{
			Link	   *link = targets[i]->links[j];

			link->changed = false;
			if (link->conn != NULL && PQsocket(link->conn) >= 0)
				AddWaitEventToSet(set, link->events, PQsocket(link->conn),
								  NULL, link);
		}
	}
}

void
pgps_poller_main(Datum arg)
{
	WaitEvent	events[64];
	MemoryContext context;
	uint32		wait_event;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	if (!pgps_poller_begin())
		proc_exit(0);
	before_shmem_exit(end_poller, (Datum) 0);
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname(POLLER_NAME);

	/* options of the server's environment would make PgBouncer reject us */
	unsetenv("PGOPTIONS");
	context = AllocSetContextCreate(TopMemoryContext, POLLER_NAME,
									ALLOCSET_DEFAULT_SIZES);
	wait_event = WaitEventExtensionNew("PgpoolStatsPollerMain");
	configure();

	while (!ShutdownRequestPending && ntargets > 0)
	{
		TimestampTz now = GetCurrentTimestamp();
		int			n,
					i;

		MemoryContextSwitchTo(context);
		MemoryContextReset(context);
		watch_clock(now);
		prepare_set();
		n = WaitEventSetWait(set, time_left(GetCurrentTimestamp()), events,
							 lengthof(events), wait_event);
		for (i = 0; i < n; i++)
		{
			if (events[i].events & WL_LATCH_SET)
				ResetLatch(MyLatch);
			else if (events[i].user_data != NULL && !names_heard(&events[i]))
				link_advance(events[i].user_data);
		}

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			configure();
		}
	}

	/* the collector starts it again when there is something to do */
	proc_exit(0);
}
