/*-------------------------------------------------------------------------
 *
 * rejected.h
 *	  How many connections were rejected, by name.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_REJECTED_H
#define PGPS_REJECTED_H

#include "datatype/timestamp.h"

/* what rejected it */
typedef enum PgpsRejecter
{
	PGPS_BY_LIMIT,
	PGPS_AT_LOGIN,				/* for what the client said of itself */
	PGPS_UNAVAILABLE,			/* the server is not there for anybody */
	PGPS_REJECTERS
} PgpsRejecter;

/* a counter, found by a hash of what it counts, and by what rejected */
typedef struct PgpsRejected
{
	uint64		hash;
	PgpsRejecter by;
	uint64		count;
	uint64		base;			/* the part of count that exporters leave out,
								 * see registry/restore.c */
	TimestampTz last_rejected;
} PgpsRejected;

extern Size pgps_rejected_size(void);
extern void pgps_rejected_init(void *area, bool found);

/* names */
extern uint64 pgps_total_hash(const char *what);
extern uint64 pgps_server_hash(void);
extern uint64 pgps_strangers_hash(void);
extern uint64 pgps_role_hash(const char *usename);
extern uint64 pgps_database_hash(const char *datname);
extern uint64 pgps_pool_hash(const char *usename, const char *datname,
							 const char *pool);
extern uint64 pgps_instance_hash(const char *usename, const char *datname,
								 const char *pool, const char *instance);
extern uint64 pgps_unlabelled_hash(const char *usename, const char *datname);

/* without any lock */
extern void pgps_count_rejected(uint64 hash, PgpsRejecter by, TimestampTz now);
extern int	pgps_compare_rejected(const void *a, const void *b);
extern int	pgps_rejected_copy(PgpsRejected **copy);
extern void pgps_rejected_reset(void);
extern void pgps_rejected_restore(const PgpsRejected *saved, bool crashed);

#endif							/* PGPS_REJECTED_H */
