/*-------------------------------------------------------------------------
 *
 * stops.h
 *	  Did most reports stop at once?
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_STOPS_H
#define PGPS_STOPS_H

#include "datatype/timestamp.h"

#include "analysis/snapshot.h"

/* instances that became late within one stale_after */
typedef struct PgpsStop
{
	TimestampTz from;			/* the first of them; 0 = no such stop */
	TimestampTz until;			/* the last */
	int			late;			/* so many ... */
	int			of;				/* ... of those that reported until then */
} PgpsStop;

extern PgpsStop pgps_find_stop(const PgpsSnapshot *snapshot);
extern bool pgps_is_stopped(const PgpsStop *stop,
							const PgpsInstanceState *state);

#endif							/* PGPS_STOPS_H */
