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
#include "base/text.h"
#include "registry/patterns.h"
#include "registry/peaks.h"
#include "registry/registry.h"

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

/* the same subject has the same, whatever its names are now; no padding */
typedef struct PgpsSubjectKey
{
	PgpsScope	scope;
	Oid			roleid;			/* of a pool */
	Oid			dbid;
	char		name[NAMEDATALEN];	/* of pool, pooler, role or database */
} PgpsSubjectKey;

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

/* targets.c: what alerts are about, and how a pattern names it */
extern PgpsSubject *pgps_make_subject(PgpsScope scope, const char *name);
extern PgpsSubject *pgps_make_pool_subject(const PgpsPool *pool);
extern void pgps_subject_key(PgpsSubjectKey *key, const PgpsSubject *subject);
extern char *pgps_subject_text(const PgpsSubject *subject);
extern const char *pgps_short_name(const char *name);
extern const char *pgps_short_instance(const char *instance);

extern bool pgps_target_matches(const PgpsTarget *target,
								const PgpsSubject *subject);

#endif							/* PGPS_OVERRIDES_H */
