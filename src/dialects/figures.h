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
#include "dialects/fields.h"

/* a field or scratch figure in a set of them */
#define PGPS_BIT(field) (UINT64CONST(1) << (field))

/* fields and scratch figures of one document */
typedef struct PgpsFigures
{
	uint64		known;			/* a bit for each */
	uint64		weak;			/* known, but only by a PGPS_WEAK key */
	uint64		summed;			/* made of several keys */
	uint64		broken;			/* made of several keys, of which one could
								 * not be read */
	uint64		contradicted;	/* two keys reported different values */
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
