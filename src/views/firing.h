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

#include "alerts/alerts.h"

typedef struct PgpsFiring
{
	PgpsSeverity severity;
	TimestampTz since;
} PgpsFiring;

typedef struct PgpsFirings PgpsFirings;

extern const PgpsFirings *pgps_firing_alerts(TimestampTz now);
extern void pgps_add_firing(PgpsFiring *worst, const PgpsFirings *firings,
							const PgpsPoolState *pool);

#endif							/* PGPS_FIRING_H */
