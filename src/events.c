/*-------------------------------------------------------------------------
 *
 * events.c
 *	  Where the server tells us what its backends do.
 *
 * A client backend joins at the commit of its start-up transaction: by then
 * role, database, start-up options and ALTER ROLE settings are in place, and
 * connections that are refused never get there.  It leaves in
 * before_shmem_exit.  Nothing here raises: while a session starts there is
 * nobody to catch it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "replication/walsender.h"
#include "storage/ipc.h"

#include "backends.h"
#include "events.h"
#include "identity.h"
#include "registry.h"
#include "settings.h"

/* this session has joined; it does so once */
static bool joined = false;

static void
leave(int code, Datum arg)
{
	int32		instance = pgps_backend_instance();

	if (!pgps_backend_joined())
		return;

	/* no reader may find us at an instance that does not count us any more */
	pgps_backend_release();
	pgps_registry_leave(instance);
}

static void
join(void)
{
	PgpsIdentity identity;

	joined = true;

	/* first, so that whatever comes is undone */
	before_shmem_exit(leave, (Datum) 0);

	pgps_identify(&identity);
	pgps_backend_claim(&identity);
	if (pgps_track == PGPS_TRACK_ALL ||
		(pgps_track == PGPS_TRACK_LABELLED && identity.labelled))
		pgps_registry_join(&identity, true);
}

static void
at_xact_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && !joined &&
		MyProcPort != NULL && MyBackendType == B_BACKEND && !am_walsender)
		join();
}

/* Called while the server loads its libraries; children inherit it. */
void
pgps_events_install(void)
{
	RegisterXactCallback(at_xact_end, NULL);
}
