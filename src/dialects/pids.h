/*-------------------------------------------------------------------------
 *
 * pids.h
 *	  Lists of processes that a report names.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PIDS_H
#define PGPS_PIDS_H

#include "utils/jsonb.h"

struct JsonbValue;

typedef struct PgpsPids
{
	bool		reported;
	int			n;
	int		   *pid;			/* in order */
} PgpsPids;

extern bool pgps_read_pids(PgpsPids *pids, const struct JsonbValue *value);
extern bool pgps_has_pid(const PgpsPids *pids, int pid);

#endif							/* PGPS_PIDS_H */
