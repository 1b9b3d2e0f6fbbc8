/*-------------------------------------------------------------------------
 *
 * holdup.h
 *	  Why clients of a pooler's pool wait.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_HOLDUP_H
#define PGPS_HOLDUP_H

#include "datatype/timestamp.h"

#include "analysis/snapshot.h"
#include "base/text.h"
#include "poolers/poolers.h"
#include "registry/backends.h"
#include "server/rejection_rows.h"

typedef enum PgpsHoldupKind
{
	PGPS_HOLDUP_NONE,			/* nobody is known to wait */
	PGPS_HOLDUP_PAUSED,
	PGPS_HOLDUP_DISABLED,
	PGPS_HOLDUP_LOGIN,			/* it has no connection: its logins are
								 * rejected here, ... */
	PGPS_HOLDUP_LIMIT,			/* ... or it is at a limit of this server */
	PGPS_HOLDUP_NO_CONNECTION,	/* it has none, and nothing says why */
	PGPS_HOLDUP_IDLE_SESSIONS,	/* they hold what it has */
	PGPS_HOLDUP_FULL,
	PGPS_HOLDUP_CONNECTING,		/* it may open more, and has not */
	PGPS_HOLDUP_CLIENT_LIMIT,	/* it takes no more clients */
	PGPS_HOLDUPS
} PgpsHoldupKind;

typedef struct PgpsHoldup
{
	PgpsHoldupKind kind;
	int64		waiting;		/* clients */
	char		waiting_app[PGPS_POOL_LEN]; /* most of them; empty = not told */
	bool		several_wait;	/* and clients of others */
	int			lent;
	int			idle;			/* of these, idle sessions here ... */
	const PgpsBackend *longest; /* ... and the one that is so for longest */
	bool		several_hold;	/* and sessions of other pools */
	TimestampTz rejected_since; /* of logins and limits */
} PgpsHoldup;

extern void pgps_find_holdup(PgpsHoldup *holdup,
							 const PgpsInstanceState *state,
							 const PgpsSnapshot *snapshot);
extern const PgpsInstanceState *pgps_held_up_most(const PgpsPoolState *pool);
extern const PgpsPooler *pgps_pooler_of_pool(const PgpsInstanceState *state,
											 const PgpsSnapshot *snapshot);
extern bool pgps_is_poolers(const PgpsBackend *backend,
							const PgpsInstanceState *state,
							const PgpsSnapshot *snapshot);
extern bool pgps_rejects_pooler(const PgpsRejection *rejection,
								const PgpsInstanceState *state,
								const PgpsSnapshot *snapshot);
extern const char *pgps_holdup_name(PgpsHoldupKind kind);
extern bool pgps_is_at_server(PgpsHoldupKind kind);

#endif							/* PGPS_HOLDUP_H */
