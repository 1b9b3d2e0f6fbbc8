/*-------------------------------------------------------------------------
 *
 * metrics.c
 *	  The functions behind the views metrics and metrics_instances.
 *
 * The metrics of pools and instances are listed here, those of the server in
 * metrics.sql, which also says how their names end.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "analysis/snapshot.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_metrics);
PG_FUNCTION_INFO_V1(pgps_get_rejected_by_reason);

#define METRIC_COLUMNS(C) \
	C(name, text, name) \
	C(help, text, help) \
	C(labels, jsonb, labels) \
	C(value, float8, value)

#define REASON_COLUMNS(C) \
	C(reason, text, pgps_reason_name(reason)) \
	C(count, int8, pgps_rejected_by(rejections, pgps_reason_hash(reason), pgps_rejecter(reason)).count) \
	C(rejecter, text, rejecter_name(pgps_rejecter(reason)))

/* a pool, or one of its instances: what the metrics of both are made of */
typedef struct Measured
{
	PgpsRow    *row;
	const char *prefix;			/* of the names */
	const PgpsPool *pool;
	const char *instance;		/* NULL = a pool */
	PgpsSource	source;
	const Jsonb *labels;
	const PgpsValues *shown;
	double		used_pct;
	int			connections;
	int			in_xact;
	int			idle_in_xact;
	int64		unclaimed;
	const PgpsCounters *counters;
} Measured;

static void
add_label(StringInfo json, const char *label, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, "%s\"%s\": ", json->len > 0 ? ", " : "{", label);
	escape_json(json, value);
}

/* Whose it is; "state" may be NULL. */
static const Jsonb *
labels_of(const Measured *m, const char *state)
{
	StringInfoData json;

	initStringInfo(&json);
	add_label(&json, "pool", m->pool->key.name);
	add_label(&json, "pool_instance", m->instance);
	add_label(&json, "datname", pgps_database_name(m->pool));
	add_label(&json, "usename", pgps_role_name(m->pool));
	add_label(&json, "layer", m->source == PGPS_SOURCE_POOLER ? "pooler" : NULL);
	add_label(&json, "state", state);
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

/* A negative value is unknown. */
static void
put_metric(const Measured *m, const char *suffix, const char *state,
		   const char *help, double value)
{
	PgpsRow    *row = m->row;
	const Jsonb *labels;
	char	   *name;

	if (value < 0)
		return;
	labels = state != NULL ? labels_of(m, state) : m->labels;
	name = psprintf("%s%s", m->prefix, suffix);
	PGPS_PUT_ROW(METRIC_COLUMNS);
}

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
	return pgps_count(m->counters, counter, -1);
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
	M(server_connections, NULL, "Connections the server has for the pool.", m->connections) \
	M(server_connections_in_transaction, NULL, "Connections inside a transaction, by the server.", m->in_xact) \
	M(server_connections_idle_in_transaction, NULL, "Connections idle inside a transaction, by the server.", m->idle_in_xact) \
	M(unclaimed_connections, NULL, "Connections the server has and the pool does not claim.", m->unclaimed) \
	/* counters */ \
	M(checkouts_total, NULL, "Connections callers asked for.", count(m, PGPS_CHECKOUTS)) \
	M(waits_total, NULL, "Callers that had to wait.", count(m, PGPS_WAITS)) \
	M(wait_seconds_total, NULL, "Time callers waited.", seconds(count(m, PGPS_TOTAL_WAIT_TIME))) \
	M(timeouts_total, NULL, "Callers that gave up waiting.", count(m, PGPS_TIMEOUTS)) \
	M(errors_total, NULL, "Failed checkouts other than timeouts, and failed connects.", count(m, PGPS_ERRORS)) \
	M(transactions_total, NULL, "Transactions the server has seen.", count(m, PGPS_SERVER_XACTS)) \
	M(transaction_seconds_total, NULL, "Time inside transactions.", seconds(count(m, PGPS_XACT_TIME))) \
	M(connects_total, NULL, "Connections made to this server.", count(m, PGPS_CONNECTS)) \
	M(disconnects_total, NULL, "Connections to this server ended.", count(m, PGPS_DISCONNECTS))

#define POOL_METRICS(M) \
	M(fullest_ratio, NULL, "Connections lent, of the maximum, in the fullest instance.", ratio(pool->fullest_pct)) \
	M(live_instances, NULL, "Live instances.", pool->live) \
	M(reporting_instances, NULL, "Live instances that report.", pool->reporting) \
	M(exhausted_instances, NULL, "Instances that have lent everything.", pool->exhausted) \
	M(exhausted_seconds, NULL, "How long an instance has been exhausted, the longest of all.", pool->status != PGPS_EXHAUSTED ? 0 : seconds(GetCurrentTimestamp() - pool->status_since)) \
	M(silent_instances, NULL, "Instances that work but do not report.", pool->silent) \
	M(gone_instances, NULL, "Instances that ended without forget().", pool->gone) \
	M(peak_connections, NULL, "Most connections at once since the last reset.", pool->peak_connections) \
	M(last_report_timestamp_seconds, NULL, "When an instance last reported.", unix_time(pool->last_report)) \
	M(wait_events_total, NULL, "Waits, or checkouts, by library: divides the time waited for its mean.", wait_events(m)) \
	M(pool_rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_pool_rejected(pool, rejections))

#define INSTANCE_METRICS(M) \
	M(client_connections_min, NULL, "Connections the pool keeps open.", figure(m, PGPS_MIN_SIZE)) \
	M(peak_in_transaction, NULL, "Most connections in a transaction at once since the last reset.", state->copy->activity.peak_in_xact) \
	M(last_report_timestamp_seconds, NULL, "When it last reported.", unix_time(data->last_report)) \
	M(exhausted_total, NULL, "Times all its connections were in a transaction.", count(m, PGPS_EXHAUSTED_COUNT)) \
	M(exhausted_seconds_total, NULL, "Time all its connections were in a transaction.", seconds(count(m, PGPS_EXHAUSTED_TIME))) \
	M(rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_instance_rejected(state, rejections))

#define PUT_METRIC(suffix, state, help, value) \
	put_metric(m, #suffix, state, help, value);

static void
put_pool_metrics(PgpsRow *row, const PgpsPoolState *pool,
				 const PgpsRejections *rejections)
{
	Measured	measured = {
		.row = row,
		.prefix = "pgpool_stats_",
		.pool = pool->data,
		.source = pool->source,
		.shown = &pool->sum,
		.used_pct = pool->used_pct,
		.connections = pool->connections,
		.in_xact = pool->in_xact,
		.idle_in_xact = pool->idle_in_xact,
		.unclaimed = pool->unclaimed,
		.counters = &pool->counters
	};
	const Measured *m = &measured;

	measured.labels = labels_of(m, NULL);
	COMMON_METRICS(PUT_METRIC);
	POOL_METRICS(PUT_METRIC);
}

static void
put_instance_metrics(PgpsRow *row, const PgpsInstanceState *state,
					 const PgpsRejections *rejections)
{
	const PgpsInstance *data = state->data;
	Measured	measured = {
		.row = row,
		.prefix = "pgpool_stats_instance_",
		.pool = state->pool->data,
		.instance = data->name,
		.source = data->source,
		.shown = &state->now.shown,
		.used_pct = pgps_used_pct(&state->now.shown),
		.connections = state->server.connections,
		.in_xact = state->server.in_xact,
		.idle_in_xact = state->server.idle_in_xact,
		.unclaimed = state->now.unclaimed,
		.counters = &state->counters
	};
	const Measured *m = &measured;

	measured.labels = labels_of(m, NULL);
	COMMON_METRICS(PUT_METRIC);
	INSTANCE_METRICS(PUT_METRIC);
}

/* get_metrics(per_instance boolean): of all pools, or of their instances */
Datum
pgps_get_metrics(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(METRIC_COLUMNS);
	PgpsSnapshot *snapshot = pgps_take_exported_snapshot();
	bool		per_instance = PG_GETARG_BOOL(0);
	const PgpsPoolState *pool = NULL;
	int			i;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		if (!per_instance)
			put_pool_metrics(row, pool, snapshot->rejections);
		for (i = 0; per_instance && i < pool->ninstances; i++)
			put_instance_metrics(row, pool->instances[i],
								 snapshot->rejections);
	}
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
	PgpsRejections *rejections = pgps_rejections_copy();
	int			reason;

	pgps_rejections_leave_out_base(rejections);
	for (reason = 0; reason < PGPS_REASONS; reason++)
		PGPS_PUT_ROW(REASON_COLUMNS);
	return (Datum) 0;
}
