/*-------------------------------------------------------------------------
 *
 * carry.h
 *	  Carrying a client's counters on over restarts, and noticing when
 *	  several processes report under one name.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CARRY_H
#define PGPS_CARRY_H

#include "datatype/timestamp.h"

#include "dialects/fields.h"
#include "registry/counters.h"

#define PGPS_REPORTERS_SEEN 4

/* who sent a report */
typedef struct PgpsReporter
{
	uint64		id;				/* of its host and pid, or of its backend */
	bool		claimed;		/* it reported its host and pid */
} PgpsReporter;

/*
 * Memory of one instance's reports.  Belongs to the instance entry and is
 * guarded by its spinlock.
 */
typedef struct PgpsCarry
{
	PgpsValues	last;			/* the client's own counters, highest seen */
	PgpsValues	before;			/* the same before the drop in "dropped" */
	PgpsCounters total_before;
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

extern void pgps_carry_counters(PgpsCarry *carry, PgpsCounters *totals,
								const PgpsValues *reported,
								PgpsReporter reporter,
								TimestampTz now, int64 patience);

#endif							/* PGPS_CARRY_H */
