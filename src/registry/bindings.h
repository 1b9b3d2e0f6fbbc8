/*-------------------------------------------------------------------------
 *
 * bindings.h
 *	  Which client backends are the server connections of a pooler.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_BINDINGS_H
#define PGPS_BINDINGS_H

#define PGPS_NO_POOLER (-1)

extern Size pgps_bindings_size(void);
extern void pgps_bindings_init(void *area, bool found);

extern int	pgps_pooler_of(int procno, int pid);
extern void pgps_pooler_bind(int number, int *pids, int npids);

#endif							/* PGPS_BINDINGS_H */
