/*-------------------------------------------------------------------------
 *
 * sizing.h
 *	  How many connections a pool needs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SIZING_H
#define PGPS_SIZING_H

#include "analysis/history.h"

/* no server takes more clients (MAX_BACKENDS of PostgreSQL) */
#define PGPS_MAX_CONNECTIONS 262143

/* of the busiest instance, in its busiest ten minutes; -1 = not known */
typedef struct PgpsSizing
{
	int64		observed;		/* microseconds */
	bool		enough;			/* observed is about a day */
	bool		no_history;		/* none is kept, see rings.c */
	PgpsBasis	basis;
	double		load;			/* connections lent out on average */
	double		arrivals;		/* a second */
	double		mean_use;		/* milliseconds each */
	int			cap;			/* its maximum */
	int			peak;			/* most lent out at once */
	int			p99;			/* at most this in 99 of 100 times ten minutes */
	double		wait_probability;	/* with that maximum */
	int			suggested;
} PgpsSizing;

extern double pgps_wait_probability(int connections, double load);
extern void pgps_work_out_sizing(PgpsSizing *sizing,
								 const PgpsBucket *buckets, int nbuckets,
								 int peak);
extern char *pgps_sizing_advice(const PgpsSizing *sizing);

#endif							/* PGPS_SIZING_H */
