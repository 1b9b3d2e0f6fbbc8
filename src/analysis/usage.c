/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  What the server uses, and what of that the pools do.
 *
 * The server's is measured apart, after the pools' was copied.  What is left is
 * a difference: background processes, the start and end of processes, what is
 * written when a session is terminated in a transaction, sessions that are not
 * tracked, and pools that were reset or given up.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "analysis/usage.h"
#include "base/clock.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/registry.h"

/* time between two looks at the server by the collector */
#define INTERVAL (10 * USECS_PER_SEC)

static int64
rest_of(int64 all, int64 part)
{
	return all < 0 ? -1 : Max(all - part, 0);
}

PgpsUsage
pgps_usage(const PgpsSnapshot *snapshot)
{
	PgpsUsage	usage = {0};
	PgpsServerUsage accounted = {0};
	int64		memory = 0;
	int			sampled = 0;
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];

		accounted.cpu_time = pgps_add_saturated(accounted.cpu_time,
												pgps_count(&pool->counters, PGPS_CPU_TIME, 0));
		accounted.wal_bytes = pgps_add_saturated(accounted.wal_bytes,
												 pgps_count(&pool->counters, PGPS_WAL_BYTES, 0));
		memory += pool->memory;
		sampled += pool->memory_sampled;
	}
	for (i = 0; i < snapshot->nbackends; i++)
	{
		if (snapshot->backends[i].memory < 0)
			continue;
		usage.memory += snapshot->backends[i].memory;
		usage.memory_sampled++;
	}
	usage.server = pgps_measure_server(snapshot->info.stats_reset, &accounted);
	usage.rest.cpu_time = rest_of(usage.server.cpu_time, accounted.cpu_time);
	usage.rest.wal_bytes = rest_of(usage.server.wal_bytes, accounted.wal_bytes);
	usage.rest_memory = rest_of(usage.memory, memory);
	usage.rest_sampled = Max(usage.memory_sampled - sampled, 0);
	return usage;
}

/*
 * For the collector, at each of its passes: what is measured begins with the
 * first pass after a reset, and stops while the server is a standby.
 */
void
pgps_usage_note(const PgpsSnapshot *snapshot)
{
	static TimestampTz looked_at = 0;
	static TimestampTz reset = 0;

	if (reset == snapshot->info.stats_reset &&
		pgps_elapsed(looked_at, snapshot->taken_at) < INTERVAL)
		return;
	reset = snapshot->info.stats_reset;
	looked_at = snapshot->taken_at;
	(void) pgps_usage(snapshot);
}
