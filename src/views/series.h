/*-------------------------------------------------------------------------
 *
 * series.h
 *	  Figures of pools and instances as rows for exporters.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SERIES_H
#define PGPS_SERIES_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "registry/registry.h"
#include "views/row.h"
#include "views/visible.h"

#define PGPS_MAX_METRICS 48

typedef struct PgpsMetric
{
	const char *suffix;
	const char *state;			/* in its labels; or NULL */
	const char *help;
} PgpsMetric;

/* the figures of one thing, in the order of its metrics; negative = unknown */
typedef struct PgpsFigures
{
	double		value[PGPS_MAX_METRICS];
} PgpsFigures;

/* whose figures they are */
typedef struct PgpsSeriesOf
{
	const PgpsPool *pool;
	const PgpsNames *names;		/* of its role and database */
	PgpsSource	source;
	const char *instance;		/* NULL = the pool itself */
} PgpsSeriesOf;

typedef struct PgpsMetricText PgpsMetricText;

/* what is under way */
typedef struct PgpsSeriesRows
{
	PgpsRow    *row;
	MemoryContext context;		/* for what is needed for one thing */
	int			nmetrics;
	const PgpsMetricText *text;
	HTAB	   *merged;			/* or NULL */
	List	   *all;			/* in the order in which they came */
} PgpsSeriesRows;

extern void pgps_series_begin(PgpsSeriesRows *rows, FunctionCallInfo fcinfo,
							  const PgpsMetric *metrics, int nmetrics,
							  const char *prefix, const PgpsMetricText **made);
extern void pgps_series_put(PgpsSeriesRows *rows, const PgpsFigures *figures,
							const PgpsSeriesOf *of);
extern void pgps_series_merge(PgpsSeriesRows *rows, const PgpsFigures *figures,
							  const PgpsSeriesOf *of);
extern void pgps_series_put_merged(PgpsSeriesRows *rows);

#endif							/* PGPS_SERIES_H */
