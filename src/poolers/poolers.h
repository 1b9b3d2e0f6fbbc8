/*-------------------------------------------------------------------------
 *
 * poolers.h
 *	  The poolers that are polled, and the worker that polls them.
 *
 * What they say of their pools stands in the registry, as rows with source
 * "pooler".
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_POOLERS_H
#define PGPS_POOLERS_H

#include "datatype/timestamp.h"

#include "base/text.h"
#include "registry/bindings.h"	/* IWYU pragma: export */

/* of one pooler; further ones are left out, and counted */
#define PGPS_MAX_POOLER_POOLS 500
#define PGPS_MAX_PLACES 64		/* addresses of one name of a host */
#define PGPS_MAX_NODES 128		/* of Pgpool-II */

#define PGPS_PRODUCT_LEN 16
#define PGPS_VERSION_LEN 32
#define PGPS_ERROR_LEN 256

/* what is known of one pooler; unknown numbers are -1 */
typedef struct PgpsPooler
{
	char		name[PGPS_POOL_LEN];	/* empty = free */
	char		listed[PGPS_POOL_LEN];	/* name of its entry in the setting */
	char		product[PGPS_PRODUCT_LEN];	/* empty = unknown */
	char		version[PGPS_VERSION_LEN];
	char		error[PGPS_ERROR_LEN];	/* of the last poll; empty = none */
	bool		reachable;
	TimestampTz listed_at;		/* when it was first to be polled */
	TimestampTz last_poll;		/* when it last answered; 0 = never */
	int64		poll_time;		/* how long that took, microseconds */
	int32		max_client_conn;
	int32		clients;
	int32		max_db_connections; /* 0 = no such limit */
	int32		query_wait_timeout; /* s; clients that wait for longer are
									 * sent away; 0 = never */
	int64		bytes_received; /* since it was started, from its clients ... */
	int64		bytes_sent;		/* ... and to them */
	int64		client_parses;	/* prepared statements that its clients made
								 * ... */
	int64		server_parses;	/* ... and that it made here for them */
	int64		binds;
	int			pools_left_out; /* at least so many were not read */
	bool		nodes_left_out; /* of Pgpool-II */
	char		comes_from[PGPS_ADDR_LEN];	/* address of its connections
											 * here; empty = the local socket
											 * ... */
	bool		comes_from_known;	/* ... if there ever was one; else where
									 * its console is, empty = unknown */
} PgpsPooler;

/* one that nothing is known of */
extern const PgpsPooler pgps_unknown_pooler;

extern Size pgps_poolers_size(void);
extern void pgps_poolers_init(void *area, bool found);

/* for readers: one for each number, free ones included */
extern PgpsPooler *pgps_poolers_copy(void);
extern int	pgps_poolers_left_out(void);
extern bool pgps_poller_runs(void);
extern bool pgps_poller_has_no_worker(void);

/* for the collector */
extern void pgps_poller_start(TimestampTz now);

/* which of them a session comes through */
extern void pgps_identify_pooler(char *via, const char *client_addr);

/* for the poller alone */
extern PGDLLEXPORT bool pgps_poller_begin(void);
extern PGDLLEXPORT void pgps_poller_end(void);
extern PGDLLEXPORT int pgps_pooler_number(const char *name, const char *listed);
extern PGDLLEXPORT void pgps_poolers_without_room(int count);
extern PGDLLEXPORT void pgps_pooler_forget(int number);
extern PGDLLEXPORT void pgps_pooler_failed(int number, const char *error);
extern void pgps_pooler_answered(int number, const PgpsPooler *pooler);

#endif							/* PGPS_POOLERS_H */
