/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  The functions behind the views metrics and metrics_instances.
 *
 * The metrics of pools and instances are listed here, those of the server in
 * metrics.sql, which also says how their names end.
 *
 * A dropped and a new role or database of one name are one series: the views
 * ask for all pools of one name at once.  There is rarely more than one.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/activity.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "server/origin.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/series.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_metrics);
PG_FUNCTION_INFO_V1(pgps_get_rejected_by_reason);

#define REASON_COLUMNS(C) \
	C(reason, text, pgps_reason_name(reason)) \
	C(count, int8, pgps_rejected_by(rejections, pgps_reason_hash(reason), pgps_rejecter(reason)).count) \
	C(rejecter, text, rejecter_name(pgps_rejecter(reason)))

/* a pool, or one of its instances: what the metrics of both are made of */
typedef struct Measured
{
	const PgpsNames *names;
	const PgpsRejections *rejections;
	TimestampTz now;
	const PgpsValues *shown;
	double		used_pct;
	int			connections;
	int			in_xact;
	int			idle_in_xact;
	int64		unclaimed;
	bool		seen_here;		/* has the server seen connections of it? */
	bool		of_pooler;		/* then its sessions are those of applications */
	PgpsCounters counters;
} Measured;

/*-------------------------------------------------------------------------
 * Values; negative = unknown
 *-------------------------------------------------------------------------
 */

static double
figure(const Measured *m, PgpsField field)
{
	return pgps_get(m->shown, field, -1);
}

static double
seconds(double time)
{
	return time / USECS_PER_SEC;
}

/* as exact as the views have the percentage */
static double
ratio(double pct)
{
	return pct < 0 ? -1 : round(pct * 10) / 1000;
}

static double
unix_time(TimestampTz time)
{
	return time == 0 ? -1 : seconds(time - SetEpochTimestamp());
}

static double
count(const Measured *m, int counter)
{
	return pgps_count(&m->counters, counter, -1);
}

/* What the server sees; of whom it never saw a connection that is unknown. */
static double
seen(const Measured *m, double value)
{
	return m->seen_here ? value : -1;
}

/* Of its own sessions */
static double
own(const Measured *m, int counter)
{
	return m->of_pooler ? -1 : seen(m, count(m, counter));
}

/* What the time waited is divided by for its mean */
static double
wait_events(const Measured *m)
{
	return count(m, PGPS_TOTAL_WAIT_TIME) > 0 &&
		count(m, PGPS_WAIT_EVENTS) > 0 ?
		count(m, PGPS_WAIT_EVENTS) : count(m, PGPS_WAITS);
}

/*-------------------------------------------------------------------------
 * The lists: what a name ends with, the state in its labels, the help, and
 * the value of "m"
 *-------------------------------------------------------------------------
 */

#define COMMON_METRICS(M) \
	/* now */ \
	M(client_connections, "used", "Connections the pool has open, lent (used) or idle.", figure(m, PGPS_CHECKED_OUT)) \
	M(client_connections, "idle", "Connections the pool has open, lent (used) or idle.", figure(m, PGPS_CHECKED_IN)) \
	M(client_connections_max, NULL, "Connections the pool may open.", figure(m, PGPS_MAX_SIZE)) \
	M(pool_size, NULL, "Connections the pool may open without overflow.", figure(m, PGPS_POOL_SIZE)) \
	M(overflow_connections, NULL, "Connections the pool has open above its size.", figure(m, PGPS_OVERFLOW)) \
	M(pending_requests, NULL, "Callers queued for a connection.", figure(m, PGPS_WAITING)) \
	M(pending_oldest_seconds, NULL, "Age of the oldest waiting caller.", seconds(figure(m, PGPS_MAX_WAIT))) \
	M(used_ratio, NULL, "Connections lent, of the maximum.", ratio(m->used_pct)) \
	M(server_connections, NULL, "Connections the server has for the pool.", seen(m, m->connections)) \
	M(server_connections_in_transaction, NULL, "Connections inside a transaction, by the server.", seen(m, m->in_xact)) \
	M(server_connections_idle_in_transaction, NULL, "Connections idle inside a transaction, by the server.", seen(m, m->idle_in_xact)) \
	M(unclaimed_connections, NULL, "Connections the server has and the pool does not claim.", m->unclaimed) \
	/* counters */ \
	M(checkouts_total, NULL, "Connections callers asked for.", count(m, PGPS_CHECKOUTS)) \
	M(waits_total, NULL, "Callers that had to wait.", count(m, PGPS_WAITS)) \
	M(wait_seconds_total, NULL, "Time callers waited.", seconds(count(m, PGPS_TOTAL_WAIT_TIME))) \
	M(timeouts_total, NULL, "Callers that gave up waiting.", count(m, PGPS_TIMEOUTS)) \
	M(errors_total, NULL, "Failed checkouts other than timeouts, and failed connects.", count(m, PGPS_ERRORS)) \
	M(transactions_total, NULL, "Transactions the server has seen.", seen(m, count(m, PGPS_SERVER_XACTS))) \
	M(transaction_seconds_total, NULL, "Time inside transactions.", seen(m, seconds(count(m, PGPS_XACT_TIME)))) \
	M(connects_total, NULL, "Connections made to this server.", seen(m, count(m, PGPS_CONNECTS))) \
	M(disconnects_total, NULL, "Connections to this server ended.", seen(m, count(m, PGPS_DISCONNECTS))) \
	M(sessions_abandoned_total, NULL, "Connections whose client was cut off, as core counts.", own(m, PGPS_SESSIONS_ABANDONED)) \
	M(sessions_fatal_total, NULL, "Connections ended by an error, as core counts.", own(m, PGPS_SESSIONS_FATAL)) \
	M(sessions_killed_total, NULL, "Connections terminated, as core counts.", own(m, PGPS_SESSIONS_KILLED))

#define POOL_METRICS(M) \
	M(fullest_ratio, NULL, "Connections lent, of the maximum, in the fullest instance.", ratio(pool->fullest_pct)) \
	M(live_instances, NULL, "Live instances.", pool->live) \
	M(reporting_instances, NULL, "Live instances that report.", pool->reporting) \
	M(exhausted_instances, NULL, "Instances that have lent everything.", pool->exhausted) \
	M(exhausted_seconds, NULL, "How long an instance has been exhausted, the longest of all.", pool->status != PGPS_EXHAUSTED ? 0 : seconds(m->now - pool->status_since)) \
	M(silent_instances, NULL, "Instances that work but do not report.", pool->silent) \
	M(gone_instances, NULL, "Instances that ended without forget().", pool->gone) \
	M(peak_connections, NULL, "Most connections at once since the last reset.", pool->peak_connections) \
	M(last_report_timestamp_seconds, NULL, "When an instance last reported.", unix_time(pool->last_report)) \
	M(wait_events_total, NULL, "Waits, or checkouts, by library: divides the time waited for its mean.", wait_events(m)) \
	M(cpu_seconds_total, NULL, "CPU time its sessions used.", seconds(own(m, PGPS_CPU_TIME))) \
	M(wal_bytes_total, NULL, "WAL its sessions wrote.", own(m, PGPS_WAL_BYTES)) \
	M(shared_blocks_total, "hit", "Shared blocks its sessions found (hit), read, dirtied, wrote.", own(m, PGPS_SHARED_BLKS_HIT)) \
	M(shared_blocks_total, "read", "Shared blocks its sessions found (hit), read, dirtied, wrote.", own(m, PGPS_SHARED_BLKS_READ)) \
	M(shared_blocks_total, "dirtied", "Shared blocks its sessions found (hit), read, dirtied, wrote.", own(m, PGPS_SHARED_BLKS_DIRTIED)) \
	M(shared_blocks_total, "written", "Shared blocks its sessions found (hit), read, dirtied, wrote.", own(m, PGPS_SHARED_BLKS_WRITTEN)) \
	M(temp_blocks_total, "read", "Blocks of temporary files its sessions read, wrote.", own(m, PGPS_TEMP_BLKS_READ)) \
	M(temp_blocks_total, "written", "Blocks of temporary files its sessions read, wrote.", own(m, PGPS_TEMP_BLKS_WRITTEN)) \
	M(memory_bytes, NULL, "Memory of its connections that were looked at.", pool->memory_sampled > 0 ? (double) pool->memory : -1) \
	M(memory_sampled_connections, NULL, "Connections that memory_bytes is from.", pool->memory_sampled > 0 ? pool->memory_sampled : -1) \
	M(pool_rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_pool_rejected(pool->data, m->names, m->rejections, PGPS_BY_LIMIT))

#define INSTANCE_METRICS(M) \
	M(client_connections_min, NULL, "Connections the pool keeps open.", figure(m, PGPS_MIN_SIZE)) \
	M(peak_in_transaction, NULL, "Most connections in a transaction at once since the last reset.", seen(m, state->copy->activity.peak_in_xact)) \
	M(last_report_timestamp_seconds, NULL, "When it last reported.", unix_time(data->last_report)) \
	M(exhausted_total, NULL, "Times all its connections were in a transaction.", seen(m, count(m, PGPS_EXHAUSTED_COUNT))) \
	M(exhausted_seconds_total, NULL, "Time all its connections were in a transaction.", seen(m, seconds(count(m, PGPS_EXHAUSTED_TIME)))) \
	M(rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_instance_rejected(state, m->names, m->rejections))

#define DESCRIBE(suffix, state, help, value) {#suffix, state, help},
#define MEASURE(suffix, state, help, measured) *value++ = (measured);

static const PgpsMetric pool_metrics[] = {
	COMMON_METRICS(DESCRIBE)
	POOL_METRICS(DESCRIBE)
};

static const PgpsMetric instance_metrics[] = {
	COMMON_METRICS(DESCRIBE)
	INSTANCE_METRICS(DESCRIBE)
};

StaticAssertDecl(lengthof(pool_metrics) <= PGPS_MAX_METRICS &&
				 lengthof(instance_metrics) <= PGPS_MAX_METRICS,
				 "there is room for all metrics");

static void
measure_pool(PgpsFigures *figures, const Measured *m, const PgpsPoolState *pool)
{
	double	   *value = figures->value;

	COMMON_METRICS(MEASURE);
	POOL_METRICS(MEASURE);
}

static void
measure_instance(PgpsFigures *figures, const Measured *m,
				 const PgpsInstanceState *state)
{
	const PgpsInstance *data = state->data;
	double	   *value = figures->value;

	COMMON_METRICS(MEASURE);
	INSTANCE_METRICS(MEASURE);
}

/* what is read */
typedef struct Sources
{
	const PgpsSnapshot *snapshot;
	const PgpsRejections *rejections;
	TimestampTz now;
} Sources;

/* An instance that only reports may have any number of connections here. */
static bool
is_seen_here(const PgpsInstanceState *state)
{
	return state->data->labelled || state->data->source != PGPS_SOURCE_REPORT ||
		state->server.connections > 0 ||
		pgps_count(&state->counters, PGPS_SERVER_XACTS, 0) > 0;
}

/* "state" is NULL for the pool itself. */
static PgpsFigures
measure(const Sources *sources, const PgpsNames *names,
		const PgpsPoolState *pool, const PgpsInstanceState *state)
{
	PgpsFigures figures;
	Measured	m = {
		.names = names,
		.rejections = sources->rejections,
		.now = sources->now,
	};

	if (state == NULL)
	{
		m.shown = &pool->sum;
		m.used_pct = pool->used_pct;
		m.connections = pool->connections;
		m.in_xact = pool->in_xact;
		m.idle_in_xact = pool->idle_in_xact;
		m.unclaimed = pool->unclaimed;
		m.seen_here = true;
		m.of_pooler = pool->source == PGPS_SOURCE_POOLER;
		pgps_exported_counters(&m.counters, &pool->counters, &pool->base,
							   pool->source);
		measure_pool(&figures, &m, pool);
	}
	else
	{
		m.shown = &state->now.shown;
		m.used_pct = pgps_used_pct(&state->now.shown);
		m.connections = state->server.connections;
		m.in_xact = state->server.in_xact;
		m.idle_in_xact = state->server.idle_in_xact;
		m.unclaimed = state->now.unclaimed;
		m.seen_here = is_seen_here(state);
		m.of_pooler = state->data->source == PGPS_SOURCE_POOLER;
		pgps_exported_counters(&m.counters, &state->counters, &state->data->base,
							   state->data->source);
		measure_instance(&figures, &m, state);
	}
	return figures;
}

/* "merged": there are others of its name. */
static void
put_pool(PgpsSeriesRows *rows, const Sources *sources,
		 const PgpsPoolState *pool, bool per_instance, bool merged)
{
	PgpsNames  *names = palloc(sizeof(PgpsNames));
	PgpsSeriesOf of = {
		.pool = pool->data,
		.names = names,
		.source = pool->source,
	};
	int			n = per_instance ? pool->ninstances : 1;
	int			i;

	*names = pgps_names(pool->data);
	for (i = 0; i < n; i++)
	{
		const PgpsInstanceState *state = per_instance ? pool->instances[i] : NULL;
		PgpsFigures figures = measure(sources, names, pool, state);

		CHECK_FOR_INTERRUPTS();
		if (state != NULL)
		{
			of.source = state->data->source;
			of.instance = state->data->name;
		}
		if (merged)
			pgps_series_merge(rows, &figures, &of);
		else
			pgps_series_put(rows, &figures, &of);
	}
}

/*
 * get_metrics(pool_numbers int[], per_instance boolean): of pools of one name,
 * or of their instances
 */
Datum
pgps_get_metrics(PG_FUNCTION_ARGS)
{
	static const PgpsMetricText *texts[2] = {NULL, NULL};
	ArrayType  *numbers = PG_GETARG_ARRAYTYPE_P(0);
	bool		per_instance = PG_GETARG_BOOL(1);
	Sources		sources;
	PgpsSeriesRows rows;
	Datum	   *items;
	List	   *pools = NIL;
	const ListCell *lc;
	int			n;
	int			i;

	pgps_series_begin(&rows, fcinfo,
					  per_instance ? instance_metrics : pool_metrics,
					  per_instance ? lengthof(instance_metrics) : lengthof(pool_metrics),
					  per_instance ? "pgpool_stats_instance_" : "pgpool_stats_",
					  &texts[per_instance]);
	sources.snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	sources.rejections = pgps_exported_rejections(fcinfo);
	sources.now = GetCurrentTimestamp();

	deconstruct_array(numbers, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &items, NULL, &n);
	for (i = 0; i < n; i++)
	{
		const PgpsPoolState *pool = pgps_listed_pool(fcinfo, sources.snapshot,
													 DatumGetInt32(items[i]));

		CHECK_FOR_INTERRUPTS();
		if (pool != NULL && pgps_may_see(pool->data->key.roleid))
			pools = lappend(pools, unconstify(PgpsPoolState *, pool));
	}
	foreach(lc, pools)
		put_pool(&rows, &sources, lfirst(lc), per_instance,
				 list_length(pools) > 1);
	pgps_series_put_merged(&rows);
	return (Datum) 0;
}

static const char *
rejecter_name(PgpsRejecter rejecter)
{
	static const char *const names[] = {"limit", "login", "unavailable"};

	return names[rejecter];
}

/* As exporters get them, a row for each reason */
Datum
pgps_get_rejected_by_reason(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(REASON_COLUMNS);
	const PgpsRejections *rejections = pgps_exported_rejections(fcinfo);
	int			reason;

	for (reason = 0; reason < PGPS_REASONS; reason++)
		PGPS_PUT_ROW(REASON_COLUMNS);
	return (Datum) 0;
}
