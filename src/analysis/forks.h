/*-------------------------------------------------------------------------
 *
 * forks.h
 *	  Pools that were made before their process forked.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FORKS_H
#define PGPS_FORKS_H

#include "analysis/snapshot.h"

extern const PgpsInstanceState *pgps_labelled_before_fork(const PgpsInstanceState *state);
extern const PgpsInstanceState *pgps_shares_with(const PgpsInstanceState *state);

/* for the collector, at each of its passes */
extern void pgps_forks_note(const PgpsSnapshot *snapshot);

#endif							/* PGPS_FORKS_H */
