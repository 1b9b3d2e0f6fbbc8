/*-------------------------------------------------------------------------
 *
 * names.h
 *	  Roles and databases by name, for a process without a transaction.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_NAMES_H
#define PGPS_NAMES_H

extern Oid	pgps_role_named(const char *name);
extern Oid	pgps_database_named(const char *name);

#endif							/* PGPS_NAMES_H */
