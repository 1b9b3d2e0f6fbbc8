/*-------------------------------------------------------------------------
 *
 * otlp.c
 *	  OpenTelemetry's metrics as an exporter sends them, OTLP in JSON.
 *
 * resourceMetrics[].scopeMetrics[].metrics[] each have a list of data points,
 * which say by attributes what pool and what state they are about.  Here they
 * become one object for each pool of each resource, with the keys of the
 * dialect otel: {"db.client.connection.count{used}": 3, ...}.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/numbers.h"
#include "dialects/otlp.h"

#define METRICS_OF_POOLS "db.client.connection" /* and "...connections" */
#define MAX_POOLS 1000			/* and resources, and keys of a pool: so that
								 * looking for one ends */

/* one figure; points with the same key are added up */
typedef struct Sum
{
	char	   *key;
	double		value;
	bool		unknown;		/* a difference, or no number */
} Sum;

typedef struct Pool
{
	int			resource;
	char	   *name;			/* NULL = points without one */
	List	   *sums;
} Pool;

typedef struct Reading
{
	List	   *pools;
	int			resource;		/* that is being read */
	List	   *processes;		/* keys that say who it is, for each resource */
	List	   *names;			/* what it is called where they do not */
} Reading;

/* The container under a key of an object; NULL if there is none */
static JsonbContainer *
inner(JsonbContainer *container, const char *key)
{
	JsonbValue	value;

	if (container == NULL || !JsonContainerIsObject(container) ||
		getKeyJsonValueFromContainer(container, key, strlen(key), &value) == NULL ||
		value.type != jbvBinary)
		return NULL;
	return value.val.binary.data;
}

/* The i-th element of the array under a key of an object; NULL at its end */
static JsonbContainer *
ith_of(JsonbContainer *container, const char *key, uint32 i)
{
	JsonbContainer *array = inner(container, key);
	JsonbValue *value;

	CHECK_FOR_INTERRUPTS();
	if (array == NULL || !JsonContainerIsArray(array))
		return NULL;
	value = getIthJsonbValueFromContainer(array, i);
	return value != NULL && value->type == jbvBinary ? value->val.binary.data : NULL;
}

/* Text or number of an object as text; NULL if it is none */
static char *
text_of(JsonbContainer *container, const char *key)
{
	JsonbValue	value;

	if (container == NULL || !JsonContainerIsObject(container) ||
		getKeyJsonValueFromContainer(container, key, strlen(key), &value) == NULL)
		return NULL;
	if (value.type == jbvString)
		return pnstrdup(value.val.string.val, value.val.string.len);
	return value.type == jbvNumeric ? pgps_number_text(&value) : NULL;
}

/* The value of the first of two attributes that is there */
static char *
attribute(JsonbContainer *container, const char *key, const char *older)
{
	JsonbContainer *pair;
	char	   *found = NULL;
	uint32		i;

	for (i = 0; (pair = ith_of(container, "attributes", i)) != NULL; i++)
	{
		char	   *name = text_of(pair, "key");
		JsonbContainer *value = inner(pair, "value");
		bool		is_it = name != NULL && strcmp(name, key) == 0;
		char	   *said;

		if (value == NULL || name == NULL || (!is_it && strcmp(name, older) != 0))
			continue;
		said = text_of(value, "stringValue");
		if (said == NULL)
			said = text_of(value, "intValue");
		if (is_it && said != NULL)
			return said;
		found = said;
	}
	return found;
}

static void
too_many(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("metrics have too many %s, expected at most %d", what, MAX_POOLS)));
}

static Pool *
need_pool(Reading *reading, const char *name)
{
	Pool	   *pool;
	ListCell   *lc;

	foreach(lc, reading->pools)
	{
		pool = lfirst(lc);
		if (pool->resource == reading->resource &&
			(name == NULL || pool->name == NULL ? name == pool->name :
			 strcmp(name, pool->name) == 0))
			return pool;
	}
	if (list_length(reading->pools) == MAX_POOLS)
		too_many("pools");
	pool = palloc0(sizeof(Pool));
	pool->resource = reading->resource;
	pool->name = name != NULL ? pstrdup(name) : NULL;
	reading->pools = lappend(reading->pools, pool);
	return pool;
}

/* "number" is NULL if there is none. */
static void
add_figure(Pool *pool, char *key, const char *number, bool unknown)
{
	Sum		   *sum = NULL;
	ListCell   *lc;
	bool		integral;
	int64		integer;
	double		value;

	foreach(lc, pool->sums)
	{
		sum = lfirst(lc);
		if (strcmp(sum->key, key) == 0)
			break;
		sum = NULL;
	}
	if (sum == NULL)
	{
		if (list_length(pool->sums) == MAX_POOLS)
			too_many("keys of one pool");
		sum = palloc0(sizeof(Sum));
		sum->key = key;
		pool->sums = lappend(pool->sums, sum);
	}
	if (unknown || number == NULL ||
		!pgps_read_number(number, &integral, &integer, &value))
		sum->unknown = true;
	else
		sum->value += value;
}

/* Figures that grow are read as they are since the beginning, or not at all. */
static bool
is_difference(JsonbContainer *data)
{
	char	   *temporality = text_of(data, "aggregationTemporality");

	return temporality != NULL &&
		(strcmp(temporality, "1") == 0 ||
		 strcmp(temporality, "AGGREGATION_TEMPORALITY_DELTA") == 0);
}

static void
read_metric(Reading *reading, JsonbContainer *metric)
{
	static const char *const kinds[] = {"sum", "gauge", "histogram", "exponentialHistogram", "summary"};
	char	   *name = text_of(metric, "name");
	int			kind;

	if (name == NULL || strncmp(name, METRICS_OF_POOLS, strlen(METRICS_OF_POOLS)) != 0)
		return;
	for (kind = 0; kind < lengthof(kinds); kind++)
	{
		JsonbContainer *data = inner(metric, kinds[kind]);
		bool		unknown = data != NULL && is_difference(data);
		JsonbContainer *point;
		uint32		i;

		for (i = 0; data != NULL && (point = ith_of(data, "dataPoints", i)) != NULL; i++)
		{
			Pool	   *pool = need_pool(reading,
										 attribute(point, METRICS_OF_POOLS ".pool.name", "pool.name"));
			char	   *state = attribute(point, METRICS_OF_POOLS ".state", "state");
			char	   *number = text_of(point, "asInt");

			if (kind >= 2)
			{
				add_figure(pool, psprintf("%s.count", name), text_of(point, "count"), unknown);
				add_figure(pool, psprintf("%s.sum", name), text_of(point, "sum"), unknown);
				continue;
			}
			add_figure(pool, state != NULL ? psprintf("%s{%s}", name, state) : pstrdup(name),
					   number != NULL ? number : text_of(point, "asDouble"), unknown);
		}
	}
}

static void
append_text(StringInfo json, const char *key, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, ", \"%s\": ", key);
	escape_json(json, value);
}

/*
 * What a resource is called that does not say which process it is.  If it does not
 * say either which of its service, it has its number among them.
 */
static char *
name_resource(const Reading *reading, JsonbContainer *about, const char *host)
{
	char	   *service = attribute(about, "service.name", "");
	char	   *id = attribute(about, "service.instance.id", "");
	const char *own = id != NULL ? id : host;
	char	   *name = pstrdup(own != NULL ? own : service != NULL ? service : "");
	ListCell   *lc;

	if (own != NULL && service != NULL)
		name = psprintf("%s/%s", service, own);
	if (id != NULL)
		return name;
	if (name[0] == '\0')
		return psprintf("%d", reading->resource + 1);
	foreach(lc, reading->names)
	{
		if (lfirst(lc) != NULL && strcmp(lfirst(lc), name) == 0)
			return psprintf("%s/%d", name, reading->resource + 1);
	}
	return name;
}

/* A resource is a process. */
static void
read_resource(Reading *reading, JsonbContainer *resource)
{
	JsonbContainer *about = inner(resource, "resource");
	JsonbContainer *scope;
	JsonbContainer *metric;
	StringInfoData json;
	char	   *host = attribute(about, "host.name", "");
	char	   *pid = attribute(about, "process.pid", "");
	uint32		i,
				j;

	initStringInfo(&json);
	append_text(&json, "host", host);
	append_text(&json, "pid", pid);
	append_text(&json, "app_version", attribute(about, "service.version", ""));
	reading->processes = lappend(reading->processes, json.data);
	reading->names = lappend(reading->names, host != NULL && pid != NULL ? NULL :
							 name_resource(reading, about, host));
	for (i = 0; (scope = ith_of(resource, "scopeMetrics", i)) != NULL; i++)
	{
		for (j = 0; (metric = ith_of(scope, "metrics", j)) != NULL; j++)
			read_metric(reading, metric);
	}
}

static void
append_pool(StringInfo json, const Reading *reading, const Pool *pool)
{
	ListCell   *lc;

	appendStringInfoString(json, "{\"dialect\": \"otel\"");
	appendStringInfoString(json, list_nth(reading->processes, pool->resource));
	if (list_length(reading->pools) > 1)
	{
		const char *of = list_length(reading->names) > 1 ?
			list_nth(reading->names, pool->resource) : NULL;

		append_text(json, "name", of == NULL ? pool->name :
					pool->name == NULL ? of : psprintf("%s/%s", of, pool->name));
	}
	foreach(lc, pool->sums)
	{
		const Sum  *sum = lfirst(lc);

		appendStringInfoString(json, ", ");
		escape_json(json, sum->key);
		if (sum->unknown || !isfinite(sum->value))
			appendStringInfoString(json, ": \"unknown\"");
		else
			appendStringInfo(json, ": %.17g", sum->value);
	}
	appendStringInfoChar(json, '}');
}

/*
 * The pools of such a document, as an array of objects.  NULL if it is none, or
 * tells nothing of pools.
 */
Jsonb *
pgps_read_otlp(JsonbContainer *document)
{
	Reading		reading = {0};
	JsonbContainer *resource;
	StringInfoData json;
	ListCell   *lc;
	uint32		i;

	for (i = 0; (resource = ith_of(document, "resourceMetrics", i)) != NULL; i++)
	{
		if (i == MAX_POOLS)
			too_many("resources");
		reading.resource = i;
		read_resource(&reading, resource);
	}
	if (reading.pools == NIL)
		return NULL;
	initStringInfo(&json);
	foreach(lc, reading.pools)
	{
		appendStringInfoString(&json, lc == list_head(reading.pools) ? "[" : ", ");
		append_pool(&json, &reading, lfirst(lc));
	}
	appendStringInfoChar(&json, ']');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}
