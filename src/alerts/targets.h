/*-------------------------------------------------------------------------
 *
 * targets.h
 *	  What alerts are about, and how a pattern names it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TARGETS_H
#define PGPS_TARGETS_H

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

/* which subjects are meant: globs; NULL = any */
typedef struct PgpsTarget
{
	PgpsScope	scope;			/* PGPS_SCOPE_POOL: also of any, if both are
								 * NULL */
	const char *name;
	const char *database;
} PgpsTarget;

extern PgpsSubject *pgps_make_subject(PgpsScope scope, const char *name);
extern PgpsSubject *pgps_make_pool_subject(const PgpsPool *pool);
extern char *pgps_subject_text(const PgpsSubject *subject);

extern void pgps_parse_target(PgpsTarget *target, const char *text);
extern bool pgps_target_matches(const PgpsTarget *target,
								const PgpsSubject *subject);

#endif							/* PGPS_TARGETS_H */
