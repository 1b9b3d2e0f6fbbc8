/*-------------------------------------------------------------------------
 *
 * grow.h
 *	  Arrays that grow, in a process's own memory.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_GROW_H
#define PGPS_GROW_H

extern void *pgps_grow(void *array, int *room, int needed, Size size);

#endif							/* PGPS_GROW_H */
