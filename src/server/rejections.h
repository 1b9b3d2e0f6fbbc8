/*-------------------------------------------------------------------------
 *
 * rejections.h
 *	  Connections that a limit rejected.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_REJECTIONS_H
#define PGPS_REJECTIONS_H

#include "datatype/timestamp.h"

#include "server/origin.h"

/* one origin in one minute */
typedef struct PgpsRejection
{
	PgpsOrigin	origin;
	TimestampTz first_rejected;
	TimestampTz last_rejected;
	uint64		count;
} PgpsRejection;

/* a counter, found by a hash of what it counts */
typedef struct PgpsRejected
{
	uint64		hash;
	uint64		count;
	uint64		base;			/* the part of count that exporters leave out,
								 * see registry/restore.c */
	TimestampTz last_rejected;
} PgpsRejected;

typedef struct PgpsRejections
{
	int			nrejections;
	PgpsRejection *rejections;	/* oldest first */
	int			ncounters;
	PgpsRejected *counters;
} PgpsRejections;

extern Size pgps_rejections_size(void);
extern void pgps_rejections_init(void *area, bool found);
extern void pgps_rejections_install(void);
extern void pgps_rejections_reset(void);

extern PgpsRejections *pgps_rejections_copy(void);
extern void pgps_rejections_leave_out_base(PgpsRejections *copy);
extern void pgps_rejections_restore(const PgpsRejections *saved,
									bool crashed);

extern uint64 pgps_reason_hash(PgpsReason reason);
extern uint64 pgps_server_hash(void);
extern uint64 pgps_role_hash(const char *usename);
extern uint64 pgps_database_hash(const char *datname);
extern uint64 pgps_pool_hash(const char *usename, const char *datname,
							 const char *pool);
extern uint64 pgps_instance_hash(const char *usename, const char *datname,
								 const char *pool, const char *instance);
extern uint64 pgps_unlabelled_hash(const char *usename, const char *datname);
extern PgpsRejected pgps_rejected(const PgpsRejections *rejections,
								  uint64 hash);

#endif							/* PGPS_REJECTIONS_H */
