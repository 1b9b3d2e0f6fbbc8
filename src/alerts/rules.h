/*-------------------------------------------------------------------------
 *
 * rules.h
 *	  The alert rules: what they are about, their levels, who is excepted.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_RULES_H
#define PGPS_RULES_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "registry/identity.h"
#include "registry/peaks.h"

typedef enum PgpsRule
{
	PGPS_RULE_POOL_EXHAUSTED,
	PGPS_RULE_POOL_FULL,
	PGPS_RULE_CALLERS_WAITING,
	PGPS_RULE_MEAN_WAIT,
	PGPS_RULE_TIMEOUTS,
	PGPS_RULE_ERRORS_INCREASING,
	PGPS_RULE_LEAK,
	PGPS_RULE_SILENT,
	PGPS_RULE_OVER_CAPACITY,
	PGPS_RULE_UNCLAIMED,
	PGPS_RULE_FORK_SHARING,
	PGPS_RULE_SHARED_INSTANCE,
	PGPS_RULE_NO_POOLING,
	PGPS_RULE_IDLE_IN_TRANSACTION,
	PGPS_RULE_REFUSED,
	PGPS_RULE_CONNECTIONS,
	PGPS_RULE_OVER_COMMITTED,
	PGPS_RULE_POOLER_DOWN,
	PGPS_RULE_REGISTRY_FULL,
	PGPS_RULE_COLLECTOR_DOWN,
	PGPS_RULES
} PgpsRule;

/* the first rule that is not about a pool */
#define PGPS_FIRST_LIMIT_RULE PGPS_RULE_REFUSED

typedef enum PgpsSeverity
{
	PGPS_SEVERITY_NONE,
	PGPS_SEVERITY_WARNING,
	PGPS_SEVERITY_CRITICAL
} PgpsSeverity;

/* what an alert is about: a pool, a pooler, or a limit of scope and name */
typedef struct PgpsSubject
{
	PgpsScope	scope;
	Oid			roleid;			/* of a pool */
	Oid			dbid;
	char		pool[PGPS_POOL_LEN];	/* or the pooler */
	NameData	usename;		/* of a pool or a role */
	NameData	datname;		/* of a pool or a database */
} PgpsSubject;

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

typedef struct PgpsRuleInfo
{
	const char *name;
	const char *unit;
	bool		windowed;		/* for_time is what its value is of, and it
								 * fires at once */
	PgpsLevels	levels;
	const char *description;	/* ends "... for for_time" by itself */
	const char *hint;
} PgpsRuleInfo;

/* which subjects are meant: globs; NULL = any */
typedef struct PgpsTarget
{
	PgpsScope	scope;			/* PGPS_SCOPE_POOL: also of any, if both are
								 * NULL */
	const char *name;
	const char *database;
} PgpsTarget;

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

extern const PgpsRuleInfo *pgps_rule(PgpsRule rule);
extern bool pgps_is_rule(const char *name);
extern List *pgps_parse_overrides(const char *setting);
extern List *pgps_overrides_of(PgpsRule rule, const List *overrides);
extern int64 pgps_longest_window(PgpsRule rule, const List *overrides);
extern PgpsLevels pgps_levels(PgpsRule rule, const PgpsSubject *subject,
							  const List *overrides);

extern void pgps_parse_target(PgpsTarget *target, const char *text);
extern bool pgps_target_matches(const PgpsTarget *target,
								const PgpsSubject *subject);
extern const char *pgps_severity_name(PgpsSeverity severity);

#endif							/* PGPS_RULES_H */
