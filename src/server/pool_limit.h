/*-------------------------------------------------------------------------
 *
 * pool_limit.h
 *	  A connection that pool_limits refuses.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_POOL_LIMIT_H
#define PGPS_POOL_LIMIT_H

#include "base/compat.h"
#include "registry/identity.h"
#include "registry/pool_limits.h"

extern bool pgps_role_is_limited(Oid roleid);
extern const PgpsPoolLimit *pgps_limit_of(const PgpsIdentity *identity);
pg_noreturn extern void pgps_refuse_connection(const PgpsIdentity *identity,
											   const PgpsPoolLimit *limit);

#endif							/* PGPS_POOL_LIMIT_H */
