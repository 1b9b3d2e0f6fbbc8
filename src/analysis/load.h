/*-------------------------------------------------------------------------
 *
 * load.h
 *	  How many connections were in a transaction on average, and what they did.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LOAD_H
#define PGPS_LOAD_H

#include "datatype/timestamp.h"

#include "analysis/snapshot.h"
#include "registry/registry.h"
#include "registry/xact_times.h"
#include "server/sampler.h"

/* average connections; negative = unknown */
typedef struct PgpsLoad
{
	TimestampTz owner;			/* first_seen of the pool; 0 = none */
	TimestampTz until;			/* of the minute */
	float		sessions;
	float		idle_in_xact;
	float		part[PGPS_PARTS];	/* of what is active */
	float		lent_idle;		/* lent out, and not in a transaction */
} PgpsLoad;

/* what is known of some time */
typedef struct PgpsLoadSums
{
	int64		watched;		/* microseconds */
	PgpsTimes	times;
	int64		told;			/* the time in which reports tell what is lent
								 * out, ... */
	int64		lent;			/* ... that of all these connections, ... */
	int64		used;			/* ... and what was spent in transactions then */
	PgpsSamples samples;
} PgpsLoadSums;

extern Size pgps_load_size(void);
extern void pgps_load_init(void *area, bool found);

/* for the collector, at each of its passes */
extern void pgps_load_note(const PgpsSnapshot *snapshot);
extern const PgpsLoadSums *pgps_load_rise(const PgpsPoolCopy *pool);

extern void pgps_load_add(PgpsLoadSums *sum, const PgpsLoadSums *more);
extern void pgps_load_work_out(PgpsLoad *load, const PgpsLoadSums *sums);
extern void pgps_load_read(PgpsLoad *load, const PgpsPoolCopy *pool);

#endif							/* PGPS_LOAD_H */
