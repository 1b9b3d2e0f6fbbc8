/*-------------------------------------------------------------------------
 *
 * snapshot.h
 *	  Everything at one moment: copied, joined with the server's view, judged.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SNAPSHOT_H
#define PGPS_SNAPSHOT_H

#include "datatype/timestamp.h"

#include "dialects/fields.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "server/rejections.h"

/* with fewer transactions on average, connections are hardly reused */
#define PGPS_POOLED_XACTS 3

/* an instance as it is shown */
typedef struct PgpsInstanceState
{
	const struct PgpsPoolState *pool;
	const PgpsInstanceCopy *copy;
	const PgpsInstance *data;
	PgpsServerState server;
	const char *via;			/* pooler between it and the server, or NULL */
	bool		direct;			/* all its connections have been without one
								 * for some time */
	PgpsJudgement now;
	PgpsCounters counters;		/* of a pooler, the transactions it reports */
	const PgpsHistogram *histograms[PGPS_RECENT_XACTS + 1]; /* by kind; NULL = not
															 * asked for as yet */
	TimestampTz status_since;
	bool		live;			/* not gone */
	bool		counts;			/* included in its pool's instances and gauges */
} PgpsInstanceState;

/* a pool as it is shown: the roll-up of its instances */
typedef struct PgpsPoolState
{
	const PgpsPoolCopy *copy;
	const PgpsPool *data;
	PgpsInstanceState **instances;	/* live ones first, by name */
	int			ninstances;
	int			live;
	bool		reported;		/* a live instance reports */
	PgpsSource	source;
	const char *via;
	PgpsStatus	status;
	TimestampTz status_since;
	bool		left_in_order;	/* gone, and its last instance said so or
								 * closed its connections */
	bool		by_timer;		/* an instance is known to report by a timer;
								 * then all do, they are one program */
	bool		only_reports;	/* its connections have done nothing else */
	PgpsValues	sum;			/* of live instances */
	PgpsCounters counters;		/* of all instances, past ones included */
	PgpsCounters base;			/* the part of them that exporters leave out */
	bool		cap_known;		/* of every live instance */
	double		used_pct;		/* -1 = unknown */
	double		fullest_pct;	/* -1 = unknown */
	const PgpsInstanceState *fullest;
	int			exhausted;
	int			silent;
	int			gone;
	int			reporting;
	int			connections;
	int			reporters;		/* of those, only there to report */
	int			in_xact;
	int			idle_in_xact;
	int64		unclaimed;		/* -1 = unknown */
	int64		memory;			/* bytes ... */
	int			memory_sampled; /* ... of so many connections */
	int			peak_connections;
	TimestampTz peak_connections_at;
	int			peak_instances;
	int			lent;			/* the most lent out by one instance */
	int			peak_lent;		/* the same in a week */
	int64		committed;		/* connections it may ask this server for */
	int64		unproven;		/* of these, by instances that reported once
								 * and are not seen otherwise */
	int64		peak_committed;
	int			uncapped;		/* live claimed instances without a known cap */
	int64		behind;			/* connections it may ask its pooler for */
	int			behind_uncapped;	/* instances behind a pooler without a
									 * known cap */
	int			unlabelled;		/* connections of discovered instances */
	int			discovered;		/* live discovered instances */
	int64		missing;		/* reported as open, but not seen as its own */
	TimestampTz last_report;
} PgpsPoolState;

typedef struct PgpsSnapshot
{
	TimestampTz taken_at;
	PgpsRegistryInfo info;
	int			ninstances;
	PgpsInstanceState *instances;
	int			npools;
	PgpsPoolState *pools;
	int			nbackends;
	const PgpsBackend *backends;
	TimestampTz backends_at;	/* when they were looked at */
	int			npeaks;
	const PgpsPeak *peaks;
	const PgpsRejections *rejections;
	const PgpsPooler *poolers;	/* by number */
	PgpsInstanceState **by_index;	/* for pgps_instance_of() */
	int			max_instance;	/* every index is below */
	PgpsPoolState **pool_by_index;	/* NULL = there is none of that */
	int			max_pool;
	int			histograms;		/* a bit for each kind that was taken */
} PgpsSnapshot;

extern PgpsSnapshot *pgps_take_snapshot(PgpsHistograms histograms);
extern PgpsSnapshot *pgps_take_pool_snapshot(PgpsHistograms histograms,
											 int32 pool);
extern PgpsSnapshot *pgps_take_whole_snapshot(PgpsHistograms histograms,
											  const PgpsSnapshot *seen);
extern void pgps_add_histograms(PgpsSnapshot *snapshot,
								PgpsHistograms histograms);
extern void pgps_exported_counters(PgpsCounters *exported,
								   const PgpsCounters *counters,
								   const PgpsCounters *base, PgpsSource source);
extern const PgpsInstanceState *pgps_instance_of(const PgpsSnapshot *snapshot,
												 const PgpsBackend *backend);
extern const char *pgps_pooler_between(const PgpsSnapshot *snapshot,
									   const PgpsBackend *backend);
extern bool pgps_is_missing(const PgpsPoolState *pool);
extern double pgps_used_pct(const PgpsValues *shown);
extern int64 pgps_over_capacity(const PgpsInstanceState *state);

#endif							/* PGPS_SNAPSHOT_H */
