/*-------------------------------------------------------------------------
 *
 * statements.c
 *	  When the connections of an instance last did something.
 *
 * Takes no lock: each time is read in one piece.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/backend_status.h"

#include "registry/backends.h"

/*
 * The newest statement on connections of an instance, of which there are so
 * many, those apart that only report; 0 = none.  Sees a session that comes or
 * goes meanwhile, or not.
 */
TimestampTz
pgps_last_statement(int32 instance, int connections)
{
	TimestampTz newest = 0;
	int			i;

	for (i = 0; i < MaxConnections && connections > 0; i++)
	{
		const PgpsSlot *slot;

		if (pgps_instance_at(i) != instance)
			continue;
		connections--;
		slot = pgps_slot(i);
		if (slot == pgps_my_slot ? pgps_backend_only_reports() :
			pgps_slot_only_reports(slot))
			continue;
		newest = Max(newest, slot->xact_start);
		newest = Max(newest, slot->status->st_state_start_timestamp);
	}
	return newest;
}
