/*-------------------------------------------------------------------------
 *
 * figures.h
 *	  From one value of a library's statistics to one figure of ours.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FIGURES_H
#define PGPS_FIGURES_H

#include "utils/jsonb.h"

#include "dialects/dialect.h"

/* fields and scratch figures of one document */
typedef struct PgpsFigures
{
	uint32		known;			/* a bit for each */
	uint32		weak;			/* known, but by a key that yields */
	uint32		summed;			/* made of several keys ... */
	uint32		broken;			/* ... of which one could not be read */
	uint64		seen;			/* a bit for each row of the dialect */
	int64		value[PGPS_NSCRATCH];
} PgpsFigures;

/* why a value could not be taken */
typedef struct PgpsComplaint
{
	int			sqlstate;
	const char *expected;		/* NULL: it could be taken */
} PgpsComplaint;

extern PgpsComplaint pgps_read_figure(PgpsFigures *fig,
									  const PgpsDialect *dialect,
									  const PgpsDialectKey *key,
									  const JsonbValue *value);
extern PgpsComplaint pgps_work_out(PgpsFigures *fig,
								   const PgpsDialect *dialect);
extern void pgps_figures_to_values(PgpsValues *values, const PgpsFigures *fig);

#endif							/* PGPS_FIGURES_H */
