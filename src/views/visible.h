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

#include "lib/stringinfo.h"

#include "analysis/snapshot.h"

extern bool pgps_sees_all(void);
extern bool pgps_may_see(Oid roleid, bool sees_all);

extern const char *pgps_role_name(const PgpsPool *pool);
extern const char *pgps_database_name(const PgpsPool *pool);
extern const char *pgps_source_name(PgpsSource source);
extern char *pgps_printable(const char *text);
extern void pgps_note(StringInfo notes, const char *text);

extern const char *pgps_pool_config(const PgpsPoolView *pool);
extern uint64 pgps_pool_rejected(const PgpsPoolView *pool,
								 const PgpsRejections *rejections);
extern uint64 pgps_instance_rejected(const PgpsInstanceView *view,
									 const PgpsRejections *rejections);

#endif							/* PGPS_VISIBLE_H */
