/*-------------------------------------------------------------------------
 *
 * overrides.h
 *	  The setting alert_rules, and the levels that follow from it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_OVERRIDES_H
#define PGPS_OVERRIDES_H

#include "nodes/pg_list.h"

#include "alerts/rules.h"
#include "alerts/targets.h"

/* an entry of the setting alert_rules */
typedef struct PgpsOverride
{
	const char *text;			/* of the whole entry */
	const char *rule;			/* name, or "*" */
	const char *target;			/* as written; NULL = all */
	PgpsTarget	what;
	PgpsLevels	levels;			/* negative = it does not say */
	const char *error;			/* what is wrong with it, or NULL */
} PgpsOverride;

extern List *pgps_parse_overrides(const char *setting);
extern List *pgps_overrides_of(int rule, const List *overrides);
extern int64 pgps_longest_window(int rule, const List *overrides);
extern PgpsLevels pgps_levels(int rule, const PgpsSubject *subject,
							  const List *overrides);

#endif							/* PGPS_OVERRIDES_H */
