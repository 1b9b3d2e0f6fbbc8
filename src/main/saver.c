/*-------------------------------------------------------------------------
 *
 * saver.c
 *	  Saving while the server runs, without holding up the collector.
 *
 * The file is made durable before it takes the old one's place, and a busy
 * disk may take seconds for that.  So the collector starts a worker that saves
 * once and ends.  While one is at it no other one saves, be it that of a
 * collector that has died since.  If there is no free worker process the
 * collector saves by itself.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/settings.h"
#include "main/main.h"

#define SAVER_NAME "pgpool_stats saver"

typedef struct SaverShared
{
	pg_atomic_uint32 saving;	/* pid of the process that saves; 0 = none */
} SaverShared;

static SaverShared *shared = NULL;

Size
pgps_saver_size(void)
{
	return sizeof(SaverShared);
}

void
pgps_saver_init(void *area, bool found)
{
	shared = area;
	if (!found)
		pg_atomic_init_u32(&shared->saving, 0);
}

/* Begin to save, unless somebody is at it. */
static bool
claim(void)
{
	uint32		nobody = 0;

	return pg_atomic_compare_exchange_u32(&shared->saving, &nobody, MyProcPid);
}

static void
release(void)
{
	uint32		me = MyProcPid;

	pg_atomic_compare_exchange_u32(&shared->saving, &me, 0);
}

static void
release_at_exit(int code, Datum arg)
{
	release();
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

/* The collector alone; it may raise, out of memory for instance. */
static void
save_here(void)
{
	static bool prepared = false;

	if (!prepared)
		before_shmem_exit(release_at_exit, (Datum) 0);
	prepared = true;
	if (claim())
		pgps_save_now();
	release();
}

/* Have everything saved if it is time. */
void
pgps_save_if_due(TimestampTz now)
{
	static TimestampTz saved_at = 0;
	static bool no_worker = false;	/* as was said in the log */
	BackgroundWorker worker = {
		.bgw_name = SAVER_NAME,
		.bgw_type = SAVER_NAME,
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "pgpool_stats",
		.bgw_function_name = "pgps_saver_main",
	};

	if (saved_at == 0)
		saved_at = now;
	if (!pgps_save ||
		pgps_elapsed(saved_at, now) < pgps_save_interval * USECS_PER_SEC ||
		pg_atomic_read_u32(&shared->saving) != 0)
		return;
	saved_at = now;
	if (RegisterDynamicBackgroundWorker(&worker, NULL))
	{
		no_worker = false;
		return;
	}
	if (!no_worker)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("pgpool_stats cannot start a worker to save"),
				 errdetail("The collector saves, and may notice something late meanwhile."),
				 errhint("Raise max_worker_processes.")));
	no_worker = true;
	save_here();
}

/*-------------------------------------------------------------------------
 * In the worker
 *-------------------------------------------------------------------------
 */

void
pgps_saver_main(Datum arg)
{
	/* a save ends early when the server does, which then saves once more */
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname(SAVER_NAME);

	before_shmem_exit(release_at_exit, (Datum) 0);
	if (claim())
		pgps_save_now();
	proc_exit(0);
}
