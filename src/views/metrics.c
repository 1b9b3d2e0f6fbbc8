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
#include "base/shmem.h"
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

static const PgpsColumn metric_columns[] = {METRIC_COLUMNS(PGPS_COLUMN)};

#define REASON_COLUMNS(C) \
	C(reason, text, pgps_reason_name(reason)) \
	C(count, int8, pgps_rejected(rejections, pgps_reason_hash(reason)).count)

static const PgpsColumn reason_columns[] = {REASON_COLUMNS(PGPS_COLUMN)};

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
	METRIC_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
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
 * The list
 *-------------------------------------------------------------------------
 */

/* counters of a pool as of an instance */
static const struct
{
	int			counter;
	bool		time;			/* microseconds, exported as seconds */
	const char *suffix;
	const char *help;
}			counted[] = {
	{PGPS_CHECKOUTS, false, "checkouts_total", "Connections callers asked for."},
	{PGPS_WAITS, false, "waits_total", "Callers that had to wait."},
	{PGPS_TOTAL_WAIT_TIME, true, "wait_seconds_total", "Time callers waited."},
	{PGPS_TIMEOUTS, false, "timeouts_total", "Callers that gave up waiting."},
	{PGPS_ERRORS, false, "errors_total", "Failed checkouts other than timeouts, and failed connects."},
	{PGPS_SERVER_XACTS, false, "transactions_total", "Transactions the server has seen."},
	{PGPS_XACT_TIME, true, "transaction_seconds_total", "Time inside transactions."},
	{PGPS_CONNECTS, false, "connects_total", "Connections made to this server."},
	{PGPS_DISCONNECTS, false, "disconnects_total", "Connections to this server ended."}
};

static void
put_common_metrics(const Measured *m)
{
	int			i;

	put_metric(m, "client_connections", "used",
			   "Connections the pool has open, lent (used) or idle.",
			   figure(m, PGPS_CHECKED_OUT));
	put_metric(m, "client_connections", "idle",
			   "Connections the pool has open, lent (used) or idle.",
			   figure(m, PGPS_CHECKED_IN));
	put_metric(m, "client_connections_max", NULL,
			   "Connections the pool may open.",
			   figure(m, PGPS_MAX_SIZE));
	put_metric(m, "pool_size", NULL,
			   "Connections the pool may open without overflow.",
			   figure(m, PGPS_POOL_SIZE));
	put_metric(m, "overflow_connections", NULL,
			   "Connections the pool has open above its size.",
			   figure(m, PGPS_OVERFLOW));
	put_metric(m, "pending_requests", NULL,
			   "Callers queued for a connection.",
			   figure(m, PGPS_WAITING));
	put_metric(m, "pending_oldest_seconds", NULL,
			   "Age of the oldest waiting caller.",
			   seconds(figure(m, PGPS_MAX_WAIT)));
	put_metric(m, "used_ratio", NULL,
			   "Connections lent, of the maximum.",
			   ratio(m->used_pct));
	put_metric(m, "server_connections", NULL,
			   "Connections the server has for the pool.",
			   m->connections);
	put_metric(m, "server_connections_in_transaction", NULL,
			   "Connections inside a transaction, by the server.",
			   m->in_xact);
	put_metric(m, "server_connections_idle_in_transaction", NULL,
			   "Connections idle inside a transaction, by the server.",
			   m->idle_in_xact);
	put_metric(m, "unclaimed_connections", NULL,
			   "Connections the server has and the pool does not claim.",
			   m->unclaimed);
	for (i = 0; i < lengthof(counted); i++)
	{
		double		value = count(m, counted[i].counter);

		put_metric(m, counted[i].suffix, NULL, counted[i].help,
				   counted[i].time ? seconds(value) : value);
	}
}

static void
put_pool_metrics(PgpsRow *row, const PgpsPoolView *pool,
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
	put_common_metrics(m);
	put_metric(m, "fullest_ratio", NULL,
			   "Connections lent, of the maximum, in the fullest instance.",
			   ratio(pool->fullest_pct));
	put_metric(m, "live_instances", NULL,
			   "Live instances.",
			   pool->live);
	put_metric(m, "reporting_instances", NULL,
			   "Live instances that report.",
			   pool->reporting);
	put_metric(m, "exhausted_instances", NULL,
			   "Instances that have lent everything.",
			   pool->exhausted);
	put_metric(m, "exhausted_seconds", NULL,
			   "How long an instance has been exhausted, the longest of all.",
			   pool->status != PGPS_EXHAUSTED ? 0 :
			   seconds(GetCurrentTimestamp() - pool->status_since));
	put_metric(m, "silent_instances", NULL,
			   "Instances that work but do not report.",
			   pool->silent);
	put_metric(m, "gone_instances", NULL,
			   "Instances that ended without goodbye.",
			   pool->gone);
	put_metric(m, "peak_connections", NULL,
			   "Most connections at once since the last reset.",
			   pool->peak_connections);
	put_metric(m, "last_report_timestamp_seconds", NULL,
			   "When an instance last reported.",
			   unix_time(pool->last_report));
	put_metric(m, "wait_events_total", NULL,
			   "Waits, or checkouts, by library: divides the time waited for its mean.",
			   wait_events(m));
	put_metric(m, "pool_rejected_total", NULL,
			   "Connections of the pool refused by a limit.",
			   pgps_pool_rejected(pool, rejections));
}

static void
put_instance_metrics(PgpsRow *row, const PgpsInstanceView *view,
					 const PgpsRejections *rejections)
{
	const PgpsInstance *data = view->data;
	Measured	measured = {
		.row = row,
		.prefix = "pgpool_stats_instance_",
		.pool = view->pool->data,
		.instance = data->name,
		.source = data->source,
		.shown = &view->now.shown,
		.used_pct = pgps_used_pct(&view->now.shown),
		.connections = view->server.connections,
		.in_xact = view->server.in_xact,
		.idle_in_xact = view->server.idle_in_xact,
		.unclaimed = view->now.unclaimed,
		.counters = &view->counters
	};
	const Measured *m = &measured;

	measured.labels = labels_of(m, NULL);
	put_common_metrics(m);
	put_metric(m, "client_connections_min", NULL,
			   "Connections the pool keeps open.",
			   figure(m, PGPS_MIN_SIZE));
	put_metric(m, "peak_in_transaction", NULL,
			   "Most connections in a transaction at once since the last reset.",
			   view->copy->activity.peak_in_xact);
	put_metric(m, "last_report_timestamp_seconds", NULL,
			   "When it last reported.",
			   unix_time(data->last_report));
	put_metric(m, "exhausted_total", NULL,
			   "Times all its connections were in a transaction.",
			   count(m, PGPS_EXHAUSTED_COUNT));
	put_metric(m, "exhausted_seconds_total", NULL,
			   "Time all its connections were in a transaction.",
			   seconds(count(m, PGPS_EXHAUSTED_TIME)));
	put_metric(m, "rejected_total", NULL,
			   "Connections of the pool refused by a limit.",
			   pgps_instance_rejected(view, rejections));
}

/* get_metrics(per_instance boolean): of all pools, or of their instances */
Datum
pgps_get_metrics(PG_FUNCTION_ARGS)
{
	bool		per_instance = PG_GETARG_BOOL(0);
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	bool		sees_all;
	int			i,
				j;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, metric_columns, lengthof(metric_columns));
	snapshot = pgps_take_exported_snapshot();
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];

		if (!pgps_may_see(pool->data->key.roleid, sees_all))
			continue;
		if (!per_instance)
			put_pool_metrics(&row, pool, snapshot->rejections);
		for (j = 0; per_instance && j < pool->ninstances; j++)
			put_instance_metrics(&row, pool->instances[j],
								 snapshot->rejections);
	}
	return (Datum) 0;
}

static void
put_reason(PgpsRow *row, const PgpsRejections *rejections, PgpsReason reason)
{
	REASON_COLUMNS(PGPS_PUT);
	pgps_row_end(row);
}

/* As exporters get them, a row for each reason */
Datum
pgps_get_rejected_by_reason(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsRejections *rejections;
	int			reason;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo, reason_columns, lengthof(reason_columns));
	rejections = pgps_rejections_copy();
	pgps_rejections_leave_out_base(rejections);
	for (reason = 0; reason < PGPS_REASONS; reason++)
		put_reason(&row, rejections, reason);
	return (Datum) 0;
}
