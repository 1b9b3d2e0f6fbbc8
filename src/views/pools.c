/*-------------------------------------------------------------------------
 *
 * pools.c
 *	  The function behind the view pools.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"
#include "views/why.h"

PG_FUNCTION_INFO_V1(pgps_get_pools);

#define POOL_COLUMNS(C) \
	/* identity and status */ \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(source, text, pgps_source_name(pool->source)) \
	C(via, text, pool->via) \
	C(status, text, pgps_status_name(pool->status)) \
	C(status_since, time, pool->status_since) \
	C(cause, text, pgps_cause_name(why->cause.kind)) \
	/* capacity */ \
	C(instances, int4, pool->live) \
	C(config, text, pgps_pool_config(pool)) \
	C(pool_size, figure8, sum, PGPS_POOL_SIZE) \
	C(max_overflow, figure8, sum, PGPS_MAX_OVERFLOW) \
	C(max_size, figure8, sum, PGPS_MAX_SIZE) \
	C(unlimited, bool, pgps_get(sum, PGPS_UNLIMITED, -1)) \
	/* use */ \
	C(open, figure8, sum, PGPS_OPEN) \
	C(checked_out, figure8, sum, PGPS_CHECKED_OUT) \
	C(checked_in, figure8, sum, PGPS_CHECKED_IN) \
	C(overflow, figure8, sum, PGPS_OVERFLOW) \
	C(waiting, figure8, sum, PGPS_WAITING) \
	C(max_wait, figure_ms, sum, PGPS_MAX_WAIT) \
	C(used_pct, pct, pool->used_pct) \
	C(fullest_pct, pct, pool->fullest_pct) \
	C(fullest_instance, text, pool->fullest ? pool->fullest->data->name : NULL) \
	C(exhausted_instances, int4, pool->exhausted) \
	C(silent_instances, int4, pool->silent) \
	C(gone_instances, int4, pool->gone) \
	C(reporting, int4, pool->reporting) \
	/* as the server sees it */ \
	C(connections, int8, pool->connections) \
	C(in_xact, int8, pool->in_xact) \
	C(idle_in_xact, int8, pool->idle_in_xact) \
	C(unclaimed, int8, pool->unclaimed) \
	C(peak_connections, int4, pool->peak_connections) \
	C(peak_connections_at, time, pool->peak_connections_at) \
	C(peak_instances, int4, pool->peak_instances) \
	/* counters */ \
	C(checkouts, count, counters, PGPS_CHECKOUTS) \
	C(waits, count, counters, PGPS_WAITS) \
	C(total_wait_time, count_ms, counters, PGPS_TOTAL_WAIT_TIME) \
	C(mean_wait_time, mean_ms, counters, PGPS_TOTAL_WAIT_TIME, PGPS_WAIT_EVENTS) \
	C(timeouts, count, counters, PGPS_TIMEOUTS) \
	C(errors, count, counters, PGPS_ERRORS) \
	C(xacts, count, counters, PGPS_SERVER_XACTS) \
	C(total_xact_time, count_ms, counters, PGPS_XACT_TIME) \
	C(mean_xact_time, mean_ms, counters, PGPS_XACT_TIME, PGPS_SERVER_XACTS) \
	C(active_time, ms, pgps_active_time(counters)) \
	C(idle_in_xact_time, ms, pgps_idle_in_xact_time(counters)) \
	C(connects, count, counters, PGPS_CONNECTS) \
	C(disconnects, count, counters, PGPS_DISCONNECTS) \
	C(rejected, int8, pgps_pool_rejected(pool->data, &names, rejections, PGPS_BY_LIMIT)) \
	/* times */ \
	C(last_report, time, pool->last_report) \
	C(first_seen, time, pool->data->first_seen) \
	C(last_hour, text, last_hour(pool, now))

static const char *
last_hour(const PgpsPoolState *pool, TimestampTz now)
{
	int8		digits[PGPS_DIGITS];

	pgps_last_hour(pool->copy, now, digits);
	return pgps_digits_text(digits);
}

static void
put_pool(PgpsRow *row, const PgpsPoolState *pool,
		 const PgpsCounters *counters, const PgpsRejections *rejections,
		 const PgpsWhy *whys, TimestampTz now)
{
	const PgpsValues *sum = &pool->sum;
	PgpsNames	names = pgps_names(pool->data);
	const PgpsAlert *why = pgps_why_of(whys, &pool->data->key);

	PGPS_PUT_ROW(POOL_COLUMNS);
}

Datum
pgps_get_pools(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(POOL_COLUMNS);
	bool		exported = PG_GETARG_BOOL(0);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const PgpsRejections *rejections = exported ?
		pgps_exported_rejections(fcinfo) : snapshot->rejections;
	const PgpsWhy *whys = pgps_whys(fcinfo);
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		PgpsCounters counters = pool->counters;

		if (exported)
			pgps_exported_counters(&counters, &pool->counters, &pool->base,
								   pool->source);
		put_pool(row, pool, &counters, rejections, whys, snapshot->taken_at);
	}
	return (Datum) 0;
}
