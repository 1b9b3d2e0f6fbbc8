/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  Carrying a client's counters on over restarts, and noticing when
 *	  several processes report under one name.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_COUNTERS_H
#define PGPS_COUNTERS_H

#include "datatype/timestamp.h"

#include "dialects/fields.h"

#define PGPS_REPORTERS_SEEN 4

/* who sent a report */
typedef struct PgpsReporter
{
	uint64		id;				/* of its host and pid, or of its backend */
	bool		claimed;		/* it told its host and pid */
} PgpsReporter;

/*
 * Memory of one instance's reports.  Belongs to the instance entry and is
 * guarded by its spinlock.
 */
typedef struct PgpsCarry
{
	PgpsValues	last;			/* the client's own counters, highest seen */
	PgpsValues	before;			/* the same before the drop in "dropped" */
	int64		total_before[PGPS_NFIELDS];
	uint32		held;			/* fields that dropped a little: perhaps late */
	uint32		dropped;		/* fields that started again in the last
								 * report */
	uint64		drop_reporter;
	TimestampTz drop_at;
	uint64		seen[PGPS_REPORTERS_SEEN];	/* newest first, only claimed ones */
	uint16		jumps;			/* one bit for each of the last reports: it
								 * jumped back */
	bool		shared;			/* several processes under this name: the
								 * totals stand still */
} PgpsCarry;

extern void pgps_carry_counters(PgpsCarry *carry, PgpsValues *totals,
								const PgpsValues *told,
								PgpsReporter reporter,
								TimestampTz now, int64 patience);

extern int64 pgps_add_saturated(int64 a, int64 b);

#endif							/* PGPS_COUNTERS_H */
