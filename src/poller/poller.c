/*-------------------------------------------------------------------------
 *
 * poller.c
 *	  The background worker that asks poolers how they are.
 *
 * A library of its own, so that libpq and all it needs stay out of every
 * other process.  The collector starts it while pgpool_stats.poolers is not
 * empty.  It never waits for a single pooler: each has its own connection and
 * its own deadline (link.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/settings.h"
#include "poller/link.h"
#include "poolers/pooler_list.h"
#include "poolers/poolers.h"

#define POLLER_NAME "pgpool_stats poller"

PGPS_MODULE_MAGIC("pgpool_stats_poller", PGPS_VERSION);

pg_noreturn extern PGDLLEXPORT void pgps_poller_main(Datum arg);

static Link *links[PGPS_MAX_POOLERS];
static int	nlinks = 0;
static WaitEventSet *set = NULL;

static void
end_poller(int code, Datum arg)
{
	pgps_poller_end();
}

static void
remove_link(int i)
{
	pgps_pooler_forget(links[i]->number);
	link_free(links[i]);
	links[i] = links[--nlinks];
}

/* Give up the poolers that are no longer in the setting, take up new ones. */
static void
configure(void)
{
	const PgpsPoolerList *list = pgps_pooler_list;
	TimestampTz now = GetCurrentTimestamp();
	int			count = list ? list->count : 0;
	int			i,
				j;

	for (i = nlinks - 1; i >= 0; i--)
	{
		for (j = 0; j < count; j++)
		{
			if (strcmp(links[i]->name, list->item[j].name) == 0 &&
				strcmp(links[i]->conninfo, pgps_pooler_conninfo(list, j)) == 0)
				break;
		}
		if (j == count)
			remove_link(i);
	}

	for (j = 0; j < count; j++)
	{
		const char *name = list->item[j].name;

		for (i = 0; i < nlinks; i++)
		{
			if (strcmp(links[i]->name, name) == 0)
				break;
		}
		if (i == nlinks)
			links[nlinks++] = link_make(name, pgps_pooler_conninfo(list, j),
										pgps_pooler_number(name));
		/* so that not all are polled at the same moment */
		if (links[i]->due == 0)
			links[i]->due = now + (int64) pgps_poll_interval * 1000 * j / count;
	}

	guard_limit(nlinks);
	if (set != NULL)
		FreeWaitEventSet(set);
	set = NULL;
}

static bool
is_polling(const Link *link)
{
	return link->state == LINK_CONNECTING || link->state == LINK_ASKING;
}

/* Begin polls that are due, give up those that take too long. */
static void
watch_clock(TimestampTz now)
{
	int64		interval = pgps_poll_interval * INT64CONST(1000);
	int			i;

	for (i = 0; i < nlinks; i++)
	{
		Link	   *link = links[i];

		/* the clock may have been set back */
		link->due = Min(link->due, now + interval);
		link->deadline = Min(link->deadline, now + pgps_poll_timeout * INT64CONST(1000));

		if (is_polling(link) && now >= link->deadline)
			link_fail(link, psprintf("no answer within %d ms", pgps_poll_timeout));
		if (!is_polling(link) && now >= link->due)
		{
			/* polls that were missed are not made up for */
			link->due += ((now - link->due) / interval + 1) * interval;
			link_poll(link, now);
		}
	}
}

/* Milliseconds until the clock is to be looked at again */
static long
time_left(TimestampTz now)
{
	TimestampTz next = TimestampTzPlusMilliseconds(now, 60000);
	int			i;

	for (i = 0; i < nlinks; i++)
		next = Min(next, is_polling(links[i]) ? links[i]->deadline :
				   links[i]->due);
	return TimestampDifferenceMilliseconds(now, next);
}

/*
 * Make the set of sockets.  libpq may have closed a socket and opened another
 * one under the same number, so any change means a new set.
 */
static void
prepare_set(void)
{
	bool		changed = set == NULL;
	int			i;

	for (i = 0; i < nlinks; i++)
		changed |= links[i]->changed;
	if (!changed)
		return;

	if (set != NULL)
		FreeWaitEventSet(set);
	set = pgps_create_wait_event_set(nlinks + 2);
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (i = 0; i < nlinks; i++)
	{
		Link	   *link = links[i];

		link->changed = false;
		if (link->conn != NULL && PQsocket(link->conn) >= 0)
			AddWaitEventToSet(set, link->events, PQsocket(link->conn), NULL,
							  link);
	}
}

void
pgps_poller_main(Datum arg)
{
	WaitEvent	events[PGPS_MAX_POOLERS + 2];
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

	while (!ShutdownRequestPending && nlinks > 0)
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
			else if (events[i].user_data != NULL)
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
