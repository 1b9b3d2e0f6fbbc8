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

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "analysis/snapshot.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_metrics);
PG_FUNCTION_INFO_V1(pgps_get_rejected_by_reason);

#define METRIC_COLUMNS(C) \
	C(name, made_text, text->name) \
	C(type, made_text, text->type) \
	C(help, made_text, text->help) \
	C(labels, jsonb, labels) \
	C(value, float8, value)

#define REASON_COLUMNS(C) \
	C(reason, text, pgps_reason_name(reason)) \
	C(count, int8, pgps_rejected(rejections, pgps_reason_hash(reason)).count)

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
	M(exhausted_seconds, NULL, "How long an instance has been exhausted, the longest of all.", pool->status != PGPS_EXHAUSTED ? 0 : seconds(m->now - pool->status_since)) \
	M(silent_instances, NULL, "Instances that work but do not report.", pool->silent) \
	M(gone_instances, NULL, "Instances that ended without forget().", pool->gone) \
	M(peak_connections, NULL, "Most connections at once since the last reset.", pool->peak_connections) \
	M(last_report_timestamp_seconds, NULL, "When an instance last reported.", unix_time(pool->last_report)) \
	M(wait_events_total, NULL, "Waits, or checkouts, by library: divides the time waited for its mean.", wait_events(m)) \
	M(pool_rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_pool_rejected(pool->data, m->names, m->rejections))

#define INSTANCE_METRICS(M) \
	M(client_connections_min, NULL, "Connections the pool keeps open.", figure(m, PGPS_MIN_SIZE)) \
	M(peak_in_transaction, NULL, "Most connections in a transaction at once since the last reset.", state->copy->activity.peak_in_xact) \
	M(last_report_timestamp_seconds, NULL, "When it last reported.", unix_time(data->last_report)) \
	M(exhausted_total, NULL, "Times all its connections were in a transaction.", count(m, PGPS_EXHAUSTED_COUNT)) \
	M(exhausted_seconds_total, NULL, "Time all its connections were in a transaction.", seconds(count(m, PGPS_EXHAUSTED_TIME))) \
	M(rejected_total, NULL, "Connections of the pool rejected by a limit.", pgps_instance_rejected(state, m->names, m->rejections))

typedef struct Metric
{
	const char *suffix;
	const char *state;			/* in its labels; or NULL */
	const char *help;
} Metric;

#define DESCRIBE(suffix, state, help, value) {#suffix, state, help},
#define MEASURE(suffix, state, help, measured) *value++ = (measured);

static const Metric pool_metrics[] = {
	COMMON_METRICS(DESCRIBE)
	POOL_METRICS(DESCRIBE)
};

static const Metric instance_metrics[] = {
	COMMON_METRICS(DESCRIBE)
	INSTANCE_METRICS(DESCRIBE)
};

#define MAX_METRICS Max(lengthof(pool_metrics), lengthof(instance_metrics))

/* all figures of one thing; negative = unknown */
typedef struct Figures
{
	double		value[MAX_METRICS];
} Figures;

static void
measure_pool(Figures *figures, const Measured *m, const PgpsPoolState *pool)
{
	double	   *value = figures->value;

	COMMON_METRICS(MEASURE);
	POOL_METRICS(MEASURE);
}

static void
measure_instance(Figures *figures, const Measured *m,
				 const PgpsInstanceState *state)
{
	const PgpsInstance *data = state->data;
	double	   *value = figures->value;

	COMMON_METRICS(MEASURE);
	INSTANCE_METRICS(MEASURE);
}

/*-------------------------------------------------------------------------
 * Rows
 *-------------------------------------------------------------------------
 */

/* what is the same in all rows of a metric */
typedef struct MetricText
{
	const char *state;
	bool		adds_up;		/* else the largest of several stands for them */
	Datum		name;
	Datum		type;
	Datum		help;
} MetricText;

/* what is under way */
typedef struct Output
{
	PgpsRow    *row;
	MemoryContext context;		/* for what is needed for one thing */
	const PgpsSnapshot *snapshot;
	const PgpsRejections *rejections;
	TimestampTz now;
	bool		per_instance;
	int			nmetrics;
	const MetricText *text;
} Output;

static bool
ends_in(const char *name, const char *end)
{
	size_t		length = strlen(name);

	return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

/* They are made once, and kept as long as the session. */
static const MetricText *
metric_texts(bool per_instance)
{
	static MetricText *made[2] = {NULL, NULL};
	const Metric *metrics = per_instance ? instance_metrics : pool_metrics;
	int			n = per_instance ? lengthof(instance_metrics) : lengthof(pool_metrics);
	MemoryContext caller;
	MetricText *texts;
	int			i;

	if (made[per_instance] != NULL)
		return made[per_instance];
	caller = MemoryContextSwitchTo(TopMemoryContext);
	texts = palloc(n * sizeof(MetricText));
	for (i = 0; i < n; i++)
	{
		MetricText *text = &texts[i];
		const char *suffix = metrics[i].suffix;
		char		name[NAMEDATALEN + 32];

		snprintf(name, sizeof(name), "pgpool_stats_%s%s",
				 per_instance ? "instance_" : "", suffix);
		text->state = metrics[i].state;
		text->adds_up = !ends_in(suffix, "_seconds") && !ends_in(suffix, "_ratio");
		text->name = CStringGetTextDatum(name);
		text->type = CStringGetTextDatum(ends_in(suffix, "_total") ? "counter" : "gauge");
		text->help = CStringGetTextDatum(metrics[i].help);
	}
	MemoryContextSwitchTo(caller);
	return made[per_instance] = texts;
}

static void
push_label(JsonbParseState **json, const char *label, const char *text)
{
	JsonbValue	value;

	if (text == NULL)
		return;
	value.type = jbvString;
	value.val.string.val = unconstify(char *, label);
	value.val.string.len = strlen(label);
	pushJsonbValue(json, WJB_KEY, &value);
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(json, WJB_VALUE, &value);
}

/*
 * Whose it is, in the order in which jsonb keeps its keys; "instance" and
 * "state" may be NULL.
 */
static const Jsonb *
make_labels(const PgpsPool *pool, const PgpsNames *names, PgpsSource source,
			const char *instance, const char *state)
{
	JsonbParseState *json = NULL;

	pushJsonbValue(&json, WJB_BEGIN_OBJECT, NULL);
	push_label(&json, "pool", pool->key.name);
	push_label(&json, "layer", source == PGPS_SOURCE_POOLER ? "pooler" : NULL);
	push_label(&json, "state", state);
	push_label(&json, "datname", names->database);
	push_label(&json, "usename", names->role);
	push_label(&json, "pool_instance", instance);
	return JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_OBJECT, NULL));
}

/* A row for each figure that is known */
static void
put_figures(Output *output, const Figures *figures, const PgpsPool *pool,
			const PgpsNames *names, PgpsSource source, const char *instance)
{
	PgpsRow    *row = output->row;
	MemoryContext caller = MemoryContextSwitchTo(output->context);
	const Jsonb *without_state = make_labels(pool, names, source, instance, NULL);
	int			i;

	for (i = 0; i < output->nmetrics; i++)
	{
		const MetricText *text = &output->text[i];
		double		value = figures->value[i];
		const Jsonb *labels = without_state;

		if (value < 0)
			continue;
		if (text->state != NULL)
			labels = make_labels(pool, names, source, instance, text->state);
		PGPS_PUT_ROW(METRIC_COLUMNS);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(output->context);
}

/*-------------------------------------------------------------------------
 * Pools of one name
 *-------------------------------------------------------------------------
 */

/* all of such pools, or one of their instances */
typedef struct SeriesKey
{
	char		instance[PGPS_INSTANCE_LEN];	/* padded with zeros */
	bool		pooler;
} SeriesKey;

typedef struct Series
{
	SeriesKey	key;
	PgpsSource	source;
	const char *instance;		/* NULL = a pool */
	Figures		figures;
} Series;

static Figures
measure(const Output *output, const PgpsNames *names, const PgpsPoolState *pool,
		const PgpsInstanceState *state)
{
	Figures		figures;
	Measured	m = {
		.names = names,
		.rejections = output->rejections,
		.now = output->now,
	};

	if (state == NULL)
	{
		m.shown = &pool->sum;
		m.used_pct = pool->used_pct;
		m.connections = pool->connections;
		m.in_xact = pool->in_xact;
		m.idle_in_xact = pool->idle_in_xact;
		m.unclaimed = pool->unclaimed;
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
		pgps_exported_counters(&m.counters, &state->counters, &state->data->base,
							   state->data->source);
		measure_instance(&figures, &m, state);
	}
	return figures;
}

/* Add figures to the series that they are part of; returns it if it is new. */
static Series *
merge(const Output *output, HTAB *table, const Figures *figures,
	  PgpsSource source, const char *instance)
{
	SeriesKey	key;
	Series	   *series;
	bool		found;
	int			i;

	memset(&key, 0, sizeof(key));
	if (instance != NULL)
		strlcpy(key.instance, instance, sizeof(key.instance));
	key.pooler = source == PGPS_SOURCE_POOLER;
	series = hash_search(table, &key, HASH_ENTER, &found);
	if (!found)
	{
		series->source = source;
		series->instance = instance;
		series->figures = *figures;
		return series;
	}
	for (i = 0; i < output->nmetrics; i++)
	{
		double	   *sum = &series->figures.value[i];
		double		more = figures->value[i];

		if (more < 0)
			continue;
		if (*sum < 0)
			*sum = more;
		else
			*sum = output->text[i].adds_up ? *sum + more : Max(*sum, more);
	}
	return NULL;
}

static void
put_namesakes(Output *output, const List *pools)
{
	const PgpsPool *any = ((const PgpsPoolState *) linitial(pools))->data;
	PgpsNames	names = pgps_names(any);
	HASHCTL		ctl = {
		.keysize = sizeof(SeriesKey),
		.entrysize = sizeof(Series),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *table = hash_create("pgpool_stats series", 64, &ctl,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	List	   *all = NIL;
	const ListCell *lc;

	foreach(lc, pools)
	{
		const PgpsPoolState *pool = lfirst(lc);
		int			n = output->per_instance ? pool->ninstances : 1;
		int			i;

		for (i = 0; i < n; i++)
		{
			const PgpsInstanceState *state = output->per_instance ?
				pool->instances[i] : NULL;
			Figures		figures = measure(output, &names, pool, state);
			Series	   *series;

			CHECK_FOR_INTERRUPTS();
			series = merge(output, table, &figures,
						   state ? (PgpsSource) state->data->source : pool->source,
						   state ? state->data->name : NULL);
			if (series != NULL)
				all = lappend(all, series);
		}
	}
	foreach(lc, all)
	{
		const Series *series = lfirst(lc);

		put_figures(output, &series->figures, any, &names, series->source,
					series->instance);
	}
	hash_destroy(table);
}

static void
put_pool(Output *output, const PgpsPoolState *pool)
{
	PgpsNames	names = pgps_names(pool->data);
	Figures		figures;
	int			i;

	if (!output->per_instance)
	{
		figures = measure(output, &names, pool, NULL);
		put_figures(output, &figures, pool->data, &names, pool->source, NULL);
	}
	for (i = 0; output->per_instance && i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];

		figures = measure(output, &names, pool, state);
		put_figures(output, &figures, pool->data, &names, state->data->source,
					state->data->name);
	}
}

/*
 * get_metrics(pool_numbers int[], per_instance boolean): of pools of one name,
 * or of their instances
 */
Datum
pgps_get_metrics(PG_FUNCTION_ARGS)
{
	Output		output = {0};
	ArrayType  *numbers = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *items;
	List	   *pools = NIL;
	int			n;
	int			i;

	output.row = PGPS_BEGIN_VIEW(METRIC_COLUMNS);
	output.per_instance = PG_GETARG_BOOL(1);
	output.snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	output.rejections = pgps_exported_rejections(fcinfo);
	output.now = GetCurrentTimestamp();
	output.context = AllocSetContextCreate(CurrentMemoryContext,
										   "pgpool_stats labels",
										   ALLOCSET_DEFAULT_SIZES);
	output.nmetrics = output.per_instance ? lengthof(instance_metrics) :
		lengthof(pool_metrics);
	output.text = metric_texts(output.per_instance);

	deconstruct_array(numbers, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &items, NULL, &n);
	for (i = 0; i < n; i++)
	{
		const PgpsPoolState *pool = pgps_listed_pool(fcinfo, output.snapshot,
													 DatumGetInt32(items[i]));

		CHECK_FOR_INTERRUPTS();
		if (pool != NULL && pgps_may_see(pool->data->key.roleid))
			pools = lappend(pools, unconstify(PgpsPoolState *, pool));
	}
	if (list_length(pools) == 1)
		put_pool(&output, linitial(pools));
	else if (pools != NIL)
		put_namesakes(&output, pools);
	return (Datum) 0;
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
