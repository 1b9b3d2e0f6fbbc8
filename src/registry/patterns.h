/*-------------------------------------------------------------------------
 *
 * patterns.h
 *	  How a text names pools, limits and poolers.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PATTERNS_H
#define PGPS_PATTERNS_H

#include "registry/peaks.h"

/* which are meant: globs; NULL = any */
typedef struct PgpsTarget
{
	PgpsScope	scope;			/* PGPS_SCOPE_POOL: also of any, if both are
								 * NULL */
	const char *name;
	const char *database;
} PgpsTarget;

extern char *pgps_trimmed(const char *string, Size len);
extern bool pgps_glob_matches(const char *glob, const char *string);
extern void pgps_parse_target(PgpsTarget *target, const char *string);
extern bool pgps_target_means_pool(const PgpsTarget *target, const char *pool,
								   const char *usename, const char *datname);

#endif							/* PGPS_PATTERNS_H */
