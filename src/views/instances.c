/*-------------------------------------------------------------------------
 *
 * instances.c
 *	  The functions behind the view instances, and the names of pools.
 *
 * The view joins the names of the pools with the instances of each: so a
 * condition on the names leaves out the instances of other pools before
 * anybody has looked at them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "analysis/forks.h"
#include "analysis/snapshot.h"
#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "registry/activity.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"
#include "views/why.h"

/* with fewer connects it is not said that nothing is pooled */
#define MANY_CONNECTS 20

PG_FUNCTION_INFO_V1(pgps_get_pool_names);
PG_FUNCTION_INFO_V1(pgps_get_instances);

#define POOL_NAME_COLUMNS(C) \
	C(number, int4, pool->index) \
	C(pool, text, pool->data.key.name) \
	C(datname, name, pgps_database_name(&pool->data)) \
	C(usename, name, pgps_role_name(&pool->data)) \
	C(instances, int4, pool->data.instances)

#define INSTANCE_COLUMNS(C) \
	/* identity */ \
	C(instance, text, data->name) \
	C(source, text, pgps_source_name(data->source)) \
	C(via, text, state->via) \
	C(status, text, pgps_status_name(state->now.status)) \
	C(status_since, time, state->status_since) \
	C(cause, text, pgps_cause_name(cause_kind(why, data))) \
	C(client_addr, address, data->client_addr) \
	C(dialect, text, data->dialect) \
	C(app_version, text, data->app_version) \
	/* capacity */ \
	C(pool_size, figure4, shown, PGPS_POOL_SIZE) \
	C(max_overflow, figure4, shown, PGPS_MAX_OVERFLOW) \
	C(max_size, figure4, shown, PGPS_MAX_SIZE) \
	C(unlimited, bool, pgps_get(shown, PGPS_UNLIMITED, -1)) \
	C(min_size, figure4, shown, PGPS_MIN_SIZE) \
	/* use */ \
	C(open, figure4, shown, PGPS_OPEN) \
	C(checked_out, figure4, shown, PGPS_CHECKED_OUT) \
	C(checked_in, figure4, shown, PGPS_CHECKED_IN) \
	C(overflow, figure4, shown, PGPS_OVERFLOW) \
	C(waiting, figure4, shown, PGPS_WAITING) \
	C(max_wait, figure_ms, shown, PGPS_MAX_WAIT) \
	C(used_pct, pct, pgps_used_pct(shown)) \
	C(as_of, time, data->last_report) \
	/* as the server sees it */ \
	C(connections, int4, state->server.connections) \
	C(in_xact, int4, state->server.in_xact) \
	C(idle_in_xact, int4, state->server.idle_in_xact) \
	C(unclaimed, int4, state->now.unclaimed) \
	C(peak_in_xact, int4, activity->peak_in_xact) \
	C(peak_in_xact_at, time, activity->peak_in_xact_at) \
	C(exhausted_count, count, counters, PGPS_EXHAUSTED_COUNT) \
	C(exhausted_time, count_ms, counters, PGPS_EXHAUSTED_TIME) \
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
	C(xact_time_p50, ms, percentile(histogram, 0.50)) \
	C(xact_time_p95, ms, percentile(histogram, 0.95)) \
	C(xact_time_p99, ms, percentile(histogram, 0.99)) \
	C(connects, count, counters, PGPS_CONNECTS) \
	C(disconnects, count, counters, PGPS_DISCONNECTS) \
	C(rejected, int8, pgps_instance_rejected(state, names, rejections)) \
	/* times */ \
	C(last_report, time, data->last_report) \
	C(report_interval, ms, report_interval(data)) \
	C(first_seen, time, data->first_seen) \
	C(unmapped, texts, data->unmapped, sizeof(data->unmapped)) \
	C(notes, text, instance_notes(state, why))

/* -1 = not known yet */
static int64
report_interval(const PgpsInstance *data)
{
	return data->nintervals == 0 ? -1 :
		pgps_median_interval(data->intervals, data->nintervals);
}

/* What holds it up; it is known of the worst one. */
static PgpsCauseKind
cause_kind(const PgpsAlert *why, const PgpsInstance *data)
{
	return strcmp(why->instance, data->name) == 0 ?
		why->cause.kind : PGPS_CAUSE_NONE;
}

/* What a reader should know of an instance and no column shows */
static const char *
instance_notes(const PgpsInstanceState *state, const PgpsAlert *why)
{
	const PgpsInstance *data = state->data;
	const PgpsValues *shown = &state->now.shown;
	int64		ended = pgps_count(&data->counters, PGPS_WORK_SESSIONS, 0);
	int64		xacts = pgps_count(&data->counters, PGPS_SESSION_XACTS, 0);
	const PgpsInstanceState *parent = pgps_labelled_before_fork(state);
	StringInfoData notes;

	initStringInfo(&notes);
	if (data->other)
		pgps_note(&notes, "stands for instances without room of their own");
	if (data->source == PGPS_SOURCE_POOLER && !data->seen_here)
		pgps_note(&notes, "none of its connections was seen here");
	if (data->carry.shared)
		pgps_note(&notes, "several processes report under this name; its counters stand still");
	if (data->fork_shared)
		pgps_note(&notes, "shares a connection with another process of its host: was the pool made before a fork?");
	else if (parent != NULL && !data->labelled)
		pgps_note(&notes, psprintf("its connections have the label of %s, made before a fork",
								   parent->data->name));
	if (cause_kind(why, data) == PGPS_CAUSE_NESTED)
		pgps_note(&notes, "all are idle in transaction while its callers queue: they may wait for each other");
	if (state->now.ghosts > 0)
		pgps_note(&notes, psprintf("counts " INT64_FORMAT " as lent out that are not here",
								   state->now.ghosts));
	if (pgps_over_capacity(state) > 0)
		pgps_note(&notes, psprintf("holds %d connections, its maximum is " INT64_FORMAT,
								   state->server.connections - state->server.reporters,
								   shown->value[PGPS_MAX_SIZE]));
	if (ended >= MANY_CONNECTS && !state->server.via_pooler &&
		xacts < PGPS_POOLED_XACTS * ended)
		pgps_note(&notes, psprintf("hardly pools: its connections were closed after %.1f transactions and %.1f s on average",
								   (double) xacts / ended,
								   pgps_count(&data->counters, PGPS_SESSION_TIME, 0) / 1000000.0 / ended));
	if (pgps_known(&data->label, PGPS_POOL_SIZE) &&
		pgps_known(&data->reported, PGPS_POOL_SIZE) &&
		data->label.value[PGPS_POOL_SIZE] != data->reported.value[PGPS_POOL_SIZE])
		pgps_note(&notes, psprintf("label says pool_size " INT64_FORMAT,
								   data->label.value[PGPS_POOL_SIZE]));
	if (strcmp(data->dialect, pgps_generic.name) == 0)
	{
		pgps_note(&notes, "the library was not recognised");
		if (!pgps_known(&data->reported, PGPS_CHECKED_OUT))
			pgps_note(&notes, "its keys contradict each other: was a configuration sent?");
	}
	else if (data->last_report != 0 && data->source == PGPS_SOURCE_REPORT &&
			 !pgps_known(&data->reported, PGPS_CHECKED_OUT))
		pgps_note(&notes, "does not tell how many are lent");
	if (data->last_report != 0 && data->source == PGPS_SOURCE_REPORT &&
		pgps_known(&data->reported, PGPS_CHECKED_OUT) &&
		!pgps_known(shown, PGPS_MAX_SIZE) &&
		pgps_get(shown, PGPS_UNLIMITED, 0) == 0)
		pgps_note(&notes, "no maximum told");
	if (data->hosts > 1)
		pgps_note(&notes, psprintf("its figures are of connections to %d servers", data->hosts));
	if (state->now.reported && !data->labelled && !data->elsewhere &&
		!data->other && state->via == NULL && data->source == PGPS_SOURCE_REPORT &&
		parent == NULL && !data->fork_shared)
		pgps_note(&notes, "no connection here has had its label: label its connections");
	return notes.data;
}

/* -1 = unknown, or none; "histogram" may be NULL */
static double
percentile(const PgpsHistogram *histogram, double fraction)
{
	return histogram == NULL ? -1 : pgps_percentile(histogram, fraction);
}

static void
put_instance(PgpsRow *row, const PgpsInstanceState *state,
			 const PgpsNames *names, const PgpsRejections *rejections,
			 const PgpsAlert *why)
{
	const PgpsInstance *data = state->data;
	const PgpsValues *shown = &state->now.shown;
	const PgpsActivityCopy *activity = &state->copy->activity;
	const PgpsHistogram *histogram = state->histograms[PGPS_ALL_XACTS];
	const PgpsCounters *counters = &state->counters;

	PGPS_PUT_ROW(INSTANCE_COLUMNS);
}

/* Of the pools that the caller may see */
Datum
pgps_get_pool_names(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(POOL_NAME_COLUMNS);
	int			npools;
	const PgpsPoolCopy *pools = pgps_pool_list(fcinfo, PGPS_ALL_XACTS, &npools);
	const PgpsPoolCopy *pool;

	for (pool = pools; pool < pools + npools; pool++)
	{
		CHECK_FOR_INTERRUPTS();
		if (pgps_may_see(pool->data.key.roleid))
			PGPS_PUT_ROW(POOL_NAME_COLUMNS);
	}
	return (Datum) 0;
}

/* get_instances(pool_number int): of a pool, by its number among those names */
Datum
pgps_get_instances(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(INSTANCE_COLUMNS);
	int32		number = PG_GETARG_INT32(0);
	const PgpsSnapshot *snapshot = pgps_pool_snapshot(fcinfo, PGPS_ALL_XACTS,
													  number);
	const PgpsPoolState *pool = pgps_listed_pool(fcinfo, snapshot, number);
	PgpsNames	names;
	const PgpsAlert *why;
	int			i;

	if (pool == NULL || !pgps_may_see(pool->data->key.roleid))
		return (Datum) 0;
	names = pgps_names(pool->data);
	why = pgps_why_of(pgps_whys(fcinfo), &pool->data->key);
	for (i = 0; i < pool->ninstances; i++)
		put_instance(row, pool->instances[i], &names, snapshot->rejections,
					 why);
	return (Datum) 0;
}
