/*-------------------------------------------------------------------------
 *
 * visible.h
 *	  What several views need: who sees what, and how it is shown.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_VISIBLE_H
#define PGPS_VISIBLE_H

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "analysis/snapshot.h"
#include "registry/counters.h"
#include "registry/peaks.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejections.h"

/* Raise if an argument of the SQL function is null. */
#define PGPS_REQUIRE(n, name) \
	do { \
		if (PG_ARGISNULL(n)) \
			ereport(ERROR, \
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), \
					 errmsg("%s must not be null", name))); \
	} while (0)

/* what a pool's role and database are called now */
typedef struct PgpsNames
{
	const char *role;
	const char *database;
} PgpsNames;

extern bool pgps_sees_all(void);
extern bool pgps_may_see(Oid roleid);
extern const PgpsPoolState *pgps_next_visible(const PgpsSnapshot *snapshot,
											  const PgpsPoolState *pool);

extern bool pgps_may_see_alert(PgpsScope scope, Oid roleid);

extern const char *pgps_role_name(const PgpsPool *pool);
extern const char *pgps_database_name(const PgpsPool *pool);
extern PgpsNames pgps_names(const PgpsPool *pool);
extern const char *pgps_source_name(PgpsSource source);
extern char *pgps_printable(const char *text);
extern const char *pgps_readable(const char *string);
extern void pgps_note(StringInfo notes, const char *text);

extern double pgps_active_time(const PgpsCounters *counters);
extern double pgps_idle_in_xact_time(const PgpsCounters *counters);
extern const char *pgps_pool_config(const PgpsPoolState *pool);
extern uint64 pgps_pool_rejected(const PgpsPool *pool, const PgpsNames *names,
								 const PgpsRejections *rejections, PgpsRejecter by);
extern uint64 pgps_instance_rejected(const PgpsInstanceState *state,
									 const PgpsNames *names,
									 const PgpsRejections *rejections);

/* role_label.c */
extern char *pgps_role_label(Oid roleid, Oid dbid);

#endif							/* PGPS_VISIBLE_H */
