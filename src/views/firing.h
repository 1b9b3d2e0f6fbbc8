/*-------------------------------------------------------------------------
 *
 * firing.h
 *	  The worst alert that fires for a pool, or for the server.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FIRING_H
#define PGPS_FIRING_H

#include "datatype/timestamp.h"

#include "alerts/rules.h"
#include "analysis/snapshot.h"

typedef struct PgpsFiring
{
	PgpsSeverity severity;
	TimestampTz since;
} PgpsFiring;

/* all that fire, by what they are about */
typedef struct PgpsFirings PgpsFirings;

extern PgpsFirings *pgps_firing_alerts(TimestampTz now);
extern void pgps_add_firing(PgpsFiring *worst, const PgpsFirings *firings,
							const PgpsPoolState *pool);

#endif							/* PGPS_FIRING_H */
