/*-------------------------------------------------------------------------
 *
 * views.h
 *	  What the views have in common: who sees what, under which name.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_VIEWS_H
#define PGPS_VIEWS_H

#include "registry/registry.h"

extern bool pgps_sees_all(void);
extern bool pgps_may_see(Oid roleid, bool sees_all);
extern const char *pgps_role_name(const PgpsPool *pool);
extern const char *pgps_source_name(PgpsSource source);
extern char *pgps_printable(const char *text);
extern char *pgps_role_label(Oid roleid, Oid dbid);
extern const char *pgps_database_name(const PgpsPool *pool);
extern const char *pgps_pool_config(const struct PgpsPoolView *pool);

#endif							/* PGPS_VIEWS_H */
