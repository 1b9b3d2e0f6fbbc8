/*-------------------------------------------------------------------------
 *
 * why.h
 *	  The alert that says why a pool, or the server, is in trouble.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_WHY_H
#define PGPS_WHY_H

#include "alerts/alerts.h"
#include "registry/registry.h"

/* by what they are about */
typedef struct PgpsWhy PgpsWhy;

extern PgpsWhy *pgps_find_whys(void);
extern const PgpsAlert *pgps_why_of(const PgpsWhy *why,
									const PgpsPoolKey *pool);

#endif							/* PGPS_WHY_H */
