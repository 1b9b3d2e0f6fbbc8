/*-------------------------------------------------------------------------
 *
 * findings.h
 *	  What the alert rules find right now.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FINDINGS_H
#define PGPS_FINDINGS_H

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "registry/counters.h"

/* what one rule looks at */
struct PgpsLook
{
	int			rule;
	const List *overrides;		/* of this rule ... */
	const List *all_overrides;	/* ... and of all */
	const PgpsSnapshot *snapshot;
	TimestampTz now;
	const List *limits;			/* PgpsLimit: used, usable and committed */
	void	   *prepared;		/* by the rule */
	const PgpsPoolState *pool;	/* of the instance looked at */
	TimestampTz window_start;	/* for_time ago, by the levels of the pool */
	List	   *findings;		/* PgpsFinding */
};

/* one rule and subject that is, or may still be, an alert */
struct PgpsFinding
{
	int			rule;
	const PgpsSubject *subject;
	PgpsLevels	levels;
	double		value;			/* of the worst instance */
	PgpsSeverity at_least;		/* whatever the value */
	bool		not_critical;	/* its value alone does not make it so */
	TimestampTz since;			/* when it began; 0 = not before now */
	const char *message;

	/* for the sentence, as far as the rule is about them */
	const PgpsInstanceState *state; /* the worst one */
	int			count;			/* instances that it was found at ... */
	const PgpsInstanceState **states;	/* ... which; NULL = none in
										 * particular */
	double		total;			/* of the values of all of these */
	const PgpsInstanceState *with;	/* whose connection the worst one uses */
	const PgpsBackend *backend;
	const PgpsPooler *pooler;
	int64		used;			/* of a limit */
	int			usable;
	PgpsCauseKind implied;		/* a cause that its sentence says already */
	const void *details;		/* the rule's own */
};

extern List *pgps_find_all(const PgpsSnapshot *snapshot,
						   const List *overrides);
extern void pgps_add_finding(PgpsLook *look, const PgpsFinding *found);

/* limit_rules.c */
struct PgpsLimit;
extern bool pgps_is_used_up(const PgpsLook *look, const struct PgpsLimit *limit,
							PgpsSeverity severity);

extern double pgps_seconds_since(const PgpsLook *look, TimestampTz since);
extern char *pgps_duration_text(int64 duration);
extern char *pgps_count_text(double count, const char *noun);
extern char *pgps_waiting_text(const PgpsLook *look, const PgpsFinding *found,
							   double waiting);
extern int64 pgps_found_sum(const PgpsFinding *found, PgpsField field);

/* trends.c: what a rule may look back at, as bits for PgpsRule.trends */
#define PGPS_TREND(counter) ((uint64) 1 << ((counter) - PGPS_FIRST_COUNTER))

/* of the whole server: reports and connections without a row of their own */
#define PGPS_TREND_OVERFLOWED ((uint64) 1 << PGPS_NCOUNTERS)

/* collector only */
extern void pgps_trends_note(const PgpsSnapshot *snapshot,
							 const List *overrides);
extern int64 pgps_rise(const PgpsInstanceState *state, int counter,
					   TimestampTz since);
extern int64 pgps_overflow_rise(TimestampTz since);

#endif							/* PGPS_FINDINGS_H */
