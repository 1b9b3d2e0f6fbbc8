/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  Arithmetic of a clock that may be set back, or stand before 2000, where
 *	  a timestamp is negative.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CLOCK_H
#define PGPS_CLOCK_H

#include "datatype/timestamp.h"

/* The remainder of a division that rounds down: never negative */
static inline int64
pgps_floor_mod(int64 number, int64 by)
{
	int64		rest = number % by;

	return rest < 0 ? rest + by : rest;
}

/*
 * Time since a moment.  One that lies ahead was before the clock was set back,
 * nobody knows how long ago: long enough for whatever waits for it.
 */
static inline int64
pgps_elapsed(TimestampTz since, TimestampTz now)
{
	return now >= since ? now - since : PG_INT64_MAX;
}

#endif							/* PGPS_CLOCK_H */
