/*-------------------------------------------------------------------------
 *
 * rollup.h
 *	  From the instances of a pool to the pool; for snapshot.c alone.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ROLLUP_H
#define PGPS_ROLLUP_H

#include "datatype/timestamp.h"

#include "analysis/snapshot.h"
#include "registry/counters.h"
#include "registry/registry.h"

extern void pgps_take_pooler_xacts(PgpsCounters *counters);
extern void pgps_start_pool(PgpsPoolState *pool, const PgpsPoolCopy *copy);
extern void pgps_roll_up(PgpsPoolState *pool, PgpsInstanceState *state);
extern void pgps_finish_pool(PgpsPoolState *pool, TimestampTz now);

#endif							/* PGPS_ROLLUP_H */
