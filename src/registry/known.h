/*-------------------------------------------------------------------------
 *
 * known.h
 *	  A counter of rejected connections for each name that is known.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_KNOWN_H
#define PGPS_KNOWN_H

#include "port/atomics.h"

#include "registry/registry.h"
#include "registry/rejected.h"

/* how many counters there can be that are of no name */
#define PGPS_REJECTED_TOTALS 40

typedef struct PgpsTally
{
	pg_atomic_uint64 count;
	pg_atomic_uint64 base;
	pg_atomic_uint64 last_rejected;
} PgpsTally;

typedef struct PgpsCounter
{
	pg_atomic_uint64 hash;		/* 0 = free */
	PgpsTally	by[PGPS_REJECTERS];
} PgpsCounter;

extern Size pgps_known_size(void);
extern void pgps_known_init(void *area, bool found);

/* what is known; caller holds the registry's lock exclusively */
extern void pgps_know_total(int n, uint64 hash);
extern void pgps_know_peak(int32 i, uint64 hash);
extern void pgps_forget_peak(int32 i);
extern void pgps_know_pool(int32 i, const PgpsPool *pool, bool renamed);
extern void pgps_forget_pool(int32 i);
extern void pgps_inherit_rejected(int32 heir, int32 pool);
extern void pgps_know_instance(int32 i, const PgpsPool *pool,
							   const PgpsInstance *instance);
extern void pgps_forget_instance(int32 i);

/* without any lock */
extern uint64 pgps_secret_hash(uint64 hash);
extern bool pgps_is_known(uint64 hash);
extern PgpsCounter *pgps_find_known(uint64 hash);
extern int32 pgps_find_known_pool(uint64 hash);
extern PgpsCounter *pgps_known_total(int n);
extern PgpsCounter *pgps_next_known(int32 *i);
extern int32 pgps_max_known(void);

/* rejected.c: on a counter */
extern void pgps_add_rejected(const PgpsRejected *more);
extern bool pgps_take_rejected(PgpsCounter *counter, PgpsRejecter by,
							   PgpsRejected *taken);
extern void pgps_move_rejected(PgpsCounter *to, PgpsCounter *from);
extern void pgps_take_strangers(PgpsCounter *counter, uint64 hash);

#endif							/* PGPS_KNOWN_H */
