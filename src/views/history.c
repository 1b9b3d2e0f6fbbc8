/*-------------------------------------------------------------------------
 *
 * history.c
 *	  The function behind the view history.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "alerts/cause.h"
#include "analysis/history.h"
#include "analysis/load.h"
#include "analysis/snapshot.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "server/sampler.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_history);

#define HISTORY_COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, pgps_database_name(pool->data)) \
	C(usename, name, pgps_role_name(pool->data)) \
	C(bucket_start, time, bucket->start) \
	C(bucket, interval, pgps_period_length(period)) \
	C(instances, int4, bucket->instances) \
	C(min_connections, int4, bucket->min_connections) \
	C(max_connections, int4, bucket->max_connections) \
	C(min_checked_out, int4, bucket->min_checked_out) \
	C(max_checked_out, int4, bucket->max_checked_out) \
	C(max_in_xact, int4, bucket->max_in_xact) \
	C(max_waiting, int4, bucket->max_waiting) \
	C(max_used_pct, pct, bucket->max_used < 0 ? -1 : bucket->max_used / 10.0) \
	C(checkouts, int8, bucket->count[PGPS_COUNT_CHECKOUTS]) \
	C(waits, int8, bucket->count[PGPS_COUNT_WAITS]) \
	C(total_wait_time, ms, bucket->count[PGPS_COUNT_WAIT_TIME]) \
	C(timeouts, int8, bucket->count[PGPS_COUNT_TIMEOUTS]) \
	C(errors, int8, bucket->count[PGPS_COUNT_ERRORS]) \
	C(connects, int8, bucket->count[PGPS_COUNT_CONNECTS]) \
	C(rejected, int8, bucket->count[PGPS_COUNT_REJECTED]) \
	C(rejected_logins, int8, bucket->count[PGPS_COUNT_REJECTED_LOGINS]) \
	C(rejected_unavailable, int8, bucket->count[PGPS_COUNT_REJECTED_UNAVAILABLE]) \
	C(sessions_abandoned, int8, bucket->count[PGPS_COUNT_SESSIONS_ABANDONED]) \
	C(sessions_fatal, int8, bucket->count[PGPS_COUNT_SESSIONS_FATAL]) \
	C(sessions_killed, int8, bucket->count[PGPS_COUNT_SESSIONS_KILLED]) \
	C(xacts, int8, bucket->count[PGPS_COUNT_XACTS]) \
	C(total_xact_time, ms, bucket->count[PGPS_COUNT_XACT_TIME]) \
	C(sessions, float8, load.sessions) \
	C(cpu, float8, load.part[PGPS_PART_CPU]) \
	C(io, float8, load.part[PGPS_PART_IO]) \
	C(lock, float8, load.part[PGPS_PART_LOCK]) \
	C(lwlock, float8, load.part[PGPS_PART_LWLOCK]) \
	C(client, float8, load.part[PGPS_PART_CLIENT]) \
	C(other, float8, load.part[PGPS_PART_OTHER]) \
	C(idle_in_xact, float8, load.idle_in_xact) \
	C(cause, text, pgps_cause_name(bucket->cause)) \
	C(cpu_time, ms, bucket->count[PGPS_COUNT_CPU_TIME]) \
	C(wal_bytes, int8, bucket->count[PGPS_COUNT_WAL_BYTES])

Datum
pgps_get_history(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(HISTORY_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	const PgpsPoolState *pool = NULL;
	PgpsPeriod	period;
	const PgpsBucket *bucket;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		for (period = 0; period < PGPS_PERIODS; period++)
		{
			int			n = pgps_history_read(pool->copy, period,
											  snapshot->taken_at, buckets);

			for (bucket = buckets; bucket < buckets + n; bucket++)
			{
				PgpsLoad	load;

				pgps_load_work_out(&load, &bucket->load);
				PGPS_PUT_ROW(HISTORY_COLUMNS);
			}
		}
	}
	return (Datum) 0;
}
