/*-------------------------------------------------------------------------
 *
 * conditions.h
 *	  What is wrong right now, by the alert rules.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CONDITIONS_H
#define PGPS_CONDITIONS_H

#include "alerts/rules.h"
#include "analysis/snapshot.h"

#define PGPS_MESSAGE_LEN 256

/* one rule and subject that is, or may still be, an alert */
typedef struct PgpsCondition
{
	PgpsRule	rule;
	PgpsSubject subject;
	PgpsLevels	levels;
	double		value;			/* of the worst instance */
	PgpsSeverity at_least;		/* whatever the value */
	TimestampTz since;			/* when it began; 0 = not before now */
	const char *instance;		/* the worst one, or NULL */
	char		message[PGPS_MESSAGE_LEN];
} PgpsCondition;

/* what the rules look at */
typedef struct PgpsWatch
{
	const PgpsSnapshot *snapshot;
	List	   *overrides[PGPS_RULES];	/* of each rule */
	List	   *found;			/* PgpsCondition */
} PgpsWatch;

extern List *pgps_find_conditions(const PgpsSnapshot *snapshot,
								  const List *overrides);
extern char *pgps_duration_text(int64 duration);

/* limit_conditions.c */
extern void pgps_look_at_limits(PgpsWatch *watch);

/* for the two files that look */
extern PgpsCondition *pgps_add_condition(PgpsWatch *watch, PgpsRule rule,
										 const PgpsSubject *subject,
										 double value, PgpsSeverity at_least);

#endif							/* PGPS_CONDITIONS_H */
