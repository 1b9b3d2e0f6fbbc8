/*-------------------------------------------------------------------------
 *
 * role_label.h
 *	  The label that a role has by ALTER ROLE or ALTER DATABASE.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ROLE_LABEL_H
#define PGPS_ROLE_LABEL_H

extern char *pgps_role_label(Oid roleid, Oid dbid);

#endif							/* PGPS_ROLE_LABEL_H */
