/*-------------------------------------------------------------------------
 *
 * fit.h
 *	  Does a plan fit?
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FIT_H
#define PGPS_FIT_H

#include "analysis/commitments.h"

/* one limit that a plan meets */
typedef struct PgpsVerdict
{
	PgpsScope	scope;
	char	   *name;			/* of the database, role or pooler, or empty */
	int			usable;			/* -1 = unknown, as is what depends on it */
	int64		committed;
	bool		unlimited;		/* an unlimited pool is planned */
	int64		requested;		/* by the others */
	int64		remaining;
	bool		fits;
	int			uncapped;
	const char *note;			/* or NULL */
} PgpsVerdict;

extern List *pgps_judge_plan(const PgpsSnapshot *snapshot, const List *plan,
							 bool peak);

#endif							/* PGPS_FIT_H */
