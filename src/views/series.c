/*-------------------------------------------------------------------------
 *
 * series.c
 *	  Figures of pools and instances as rows for exporters.
 *
 * There are many rows, so what they have in common is made once: the texts of
 * a metric for the session, the labels for all figures of one thing.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/table.h"
#include "base/text.h"
#include "views/series.h"

#define METRIC_COLUMNS(C) \
	C(name, made_text, text->name) \
	C(type, made_text, text->type) \
	C(help, made_text, text->help) \
	C(labels, jsonb, labels) \
	C(value, float8, value)

/* what is the same in all rows of a metric */
struct PgpsMetricText
{
	const char *state;
	bool		adds_up;		/* else the largest of several stands for them */
	Datum		name;
	Datum		type;
	Datum		help;
};

/* of those that are merged: which of them, and what they add up to */
typedef struct SeriesKey
{
	char		instance[PGPS_INSTANCE_LEN];	/* padded with zeros */
	bool		pooler;
} SeriesKey;

typedef struct Series
{
	SeriesKey	key;
	PgpsSeriesOf of;
	PgpsFigures figures;
} Series;

static bool
ends_in(const char *name, const char *end)
{
	size_t		length = strlen(name);

	return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static const PgpsMetricText *
make_texts(const PgpsMetric *metrics, int nmetrics, const char *prefix)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
	PgpsMetricText *texts = palloc(nmetrics * sizeof(PgpsMetricText));
	int			i;

	for (i = 0; i < nmetrics; i++)
	{
		PgpsMetricText *described = &texts[i];
		const char *suffix = metrics[i].suffix;
		char		name[128];

		snprintf(name, sizeof(name), "%s%s", prefix, suffix);
		described->state = metrics[i].state;
		described->adds_up = !ends_in(suffix, "_seconds") && !ends_in(suffix, "_ratio");
		described->name = CStringGetTextDatum(name);
		described->type = CStringGetTextDatum(ends_in(suffix, "_total") ? "counter" : "gauge");
		described->help = CStringGetTextDatum(metrics[i].help);
	}
	MemoryContextSwitchTo(caller);
	return texts;
}

/* "made" keeps the texts of these metrics. */
void
pgps_series_begin(PgpsSeriesRows *rows, FunctionCallInfo fcinfo,
				  const PgpsMetric *metrics, int nmetrics, const char *prefix,
				  const PgpsMetricText **made)
{
	Assert(nmetrics <= PGPS_MAX_METRICS);
	memset(rows, 0, sizeof(PgpsSeriesRows));
	rows->row = PGPS_BEGIN_VIEW(METRIC_COLUMNS);
	rows->context = AllocSetContextCreate(CurrentMemoryContext,
										  "pgpool_stats labels",
										  ALLOCSET_DEFAULT_SIZES);
	rows->nmetrics = nmetrics;
	if (*made == NULL)
		*made = make_texts(metrics, nmetrics, prefix);
	rows->text = *made;
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

/* Whose it is, in the order in which jsonb keeps its keys; "state" may be NULL. */
static const Jsonb *
make_labels(const PgpsSeriesOf *of, const char *state)
{
	JsonbParseState *json = NULL;

	pushJsonbValue(&json, WJB_BEGIN_OBJECT, NULL);
	push_label(&json, "pool", of->pool->key.name);
	push_label(&json, "layer", of->source == PGPS_SOURCE_POOLER ? "pooler" : NULL);
	push_label(&json, "state", state);
	push_label(&json, "datname", pgps_readable(of->names->database));
	push_label(&json, "usename", pgps_readable(of->names->role));
	push_label(&json, "pool_instance", of->instance);
	return JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_OBJECT, NULL));
}

/* A row for each figure that is known */
void
pgps_series_put(PgpsSeriesRows *rows, const PgpsFigures *figures,
				const PgpsSeriesOf *of)
{
	PgpsRow    *row = rows->row;
	MemoryContext caller = MemoryContextSwitchTo(rows->context);
	const Jsonb *without_state = make_labels(of, NULL);
	int			i;

	for (i = 0; i < rows->nmetrics; i++)
	{
		const PgpsMetricText *text = &rows->text[i];
		double		value = figures->value[i];
		const Jsonb *labels = without_state;

		if (value < 0)
			continue;
		if (text->state != NULL)
			labels = make_labels(of, text->state);
		PGPS_PUT_ROW(METRIC_COLUMNS);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(rows->context);
}

/*
 * Add figures to those of the same labels.  The largest stands for what cannot
 * be added up; what is unknown of one is that of the others.
 */
void
pgps_series_merge(PgpsSeriesRows *rows, const PgpsFigures *figures,
				  const PgpsSeriesOf *of)
{
	SeriesKey	key;
	Series	   *series;
	bool		found;
	int			i;

	if (rows->merged == NULL)
	{
		rows->merged = pgps_make_table("pgpool_stats series", 64,
									   sizeof(SeriesKey), sizeof(Series));
	}
	memset(&key, 0, sizeof(key));
	if (of->instance != NULL)
		strlcpy(key.instance, of->instance, sizeof(key.instance));
	key.pooler = of->source == PGPS_SOURCE_POOLER;
	series = hash_search(rows->merged, &key, HASH_ENTER, &found);
	if (!found)
	{
		series->of = *of;
		series->figures = *figures;
		rows->all = lappend(rows->all, series);
		return;
	}
	for (i = 0; i < rows->nmetrics; i++)
	{
		double	   *sum = &series->figures.value[i];
		double		more = figures->value[i];

		if (more < 0)
			continue;
		if (*sum < 0)
			*sum = more;
		else
			*sum = rows->text[i].adds_up ? *sum + more : Max(*sum, more);
	}
}

void
pgps_series_put_merged(PgpsSeriesRows *rows)
{
	const ListCell *lc;

	foreach(lc, rows->all)
	{
		const Series *series = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		pgps_series_put(rows, &series->figures, &series->of);
	}
}
