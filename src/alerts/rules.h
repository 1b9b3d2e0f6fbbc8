/*-------------------------------------------------------------------------
 *
 * rules.h
 *	  The alert rules: a descriptor for each.
 *
 * A rule is known by its number, its place in pgps_rules.  Its descriptor
 * stands beside the functions that look and say, in the file of its kind:
 * pool_rules.c, dead_rules.c, usage_rules.c, session_rules.c, limit_rules.c,
 * login_rules.c or pooler_rules.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_RULES_H
#define PGPS_RULES_H

#include "lib/stringinfo.h"

#include "analysis/snapshot.h"
#include "registry/status.h"

typedef enum PgpsSeverity
{
	PGPS_SEVERITY_NONE,
	PGPS_SEVERITY_WARNING,
	PGPS_SEVERITY_CRITICAL
} PgpsSeverity;

#define PGPS_NO_LEVEL (-1.0)	/* no value is below 0 */

/* in the unit of the rule */
typedef struct PgpsLevels
{
	bool		enabled;
	double		warning;
	double		critical;
	double		clear;			/* it fires until the value is below */
	int64		for_time;		/* microseconds */
} PgpsLevels;

/* of findings.h */
typedef struct PgpsLook PgpsLook;
typedef struct PgpsFinding PgpsFinding;

typedef struct PgpsRule
{
	const char *name;
	const char *unit;
	bool		windowed;		/* the value is of the last for_time; other
								 * values must last that long to fire */
	PgpsLevels	levels;
	uint64		trends;			/* what it looks back at for for_time, as in
								 * findings.h */
	const char *about;			/* how its sentence begins; NULL = with the
								 * subject */
	const char *description;	/* ends "... for for_time" by itself */
	const char *hint;
	PgpsStatus	status;			/* that it is about, if it is about one */
	bool		explained;		/* it is looked for why: what holds up the
								 * connections of its instances, or who holds
								 * those of its limit */
	bool		explained_outside;	/* only what keeps it from more
									 * connections is a reason */

	/* What the look needs (look->prepared), found out once a pass; or NULL */
	void	   *(*prepare) (const PgpsSnapshot *snapshot);

	/* About pools: does it find anything at this live instance? */
	bool		(*look_at_instance) (const PgpsLook *look,
									 const PgpsInstanceState *state,
									 PgpsFinding *found);

	/* About anything else: calls pgps_add_finding() */
	void		(*look) (PgpsLook *look);

	/*
	 * The rest of a sentence that stands alone in a pager: a format of the
	 * value and, perhaps, for_time as text; or what writes it.
	 */
	const char *sentence;
	const char *sentence_of_one;	/* if it is another for the value 1 */
	bool		adds_up;		/* the value in it is of all instances
								 * together */
	void		(*say) (StringInfo text, const PgpsLook *look,
						const PgpsFinding *found);
} PgpsRule;

/*
 * All of them: the view rules shows them in this order, and alerts that are
 * alike are sorted by it.
 */
#define PGPS_RULES(R) \
	R(stalled) \
	R(pool_exhausted) \
	R(pool_full) \
	R(callers_waiting) \
	R(mean_wait) \
	R(timeouts) \
	R(errors_increasing) \
	R(leak) \
	R(ghosts) \
	R(silent) \
	R(lost) \
	R(no_instance) \
	R(over_capacity) \
	R(unclaimed) \
	R(fork_sharing) \
	R(shared_instance) \
	R(no_pooling) \
	R(sessions_lost) \
	R(slow_connect) \
	R(idle_in_transaction) \
	R(hoarding) \
	R(refused) \
	R(logins_rejected) \
	R(unavailable) \
	R(connections) \
	R(over_committed) \
	R(pool_limit) \
	R(pooler_down) \
	R(pooler_closed) \
	R(registry_full) \
	R(collector_down)

#define PGPS_RULE(name) extern const PgpsRule pgps_rule_##name;
PGPS_RULES(PGPS_RULE)

extern const PgpsRule *const pgps_rules[];
extern const int pgps_nrules;

extern int	pgps_find_rule(const char *name);
extern const char *pgps_severity_name(PgpsSeverity severity);

#endif							/* PGPS_RULES_H */
