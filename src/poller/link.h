/*-------------------------------------------------------------------------
 *
 * link.h
 *	  The connection to one pooler's console.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LINK_H
#define PGPS_LINK_H

#include "datatype/timestamp.h"
#include "libpq-fe.h"

#include "base/text.h"
#include "poller/names.h"
#include "poolers/console.h"

/* connections in one poll, for one that reaches the process it is meant for */
#define LINK_TRIES 20

typedef enum LinkState
{
	LINK_CLOSED,
	LINK_CONNECTING,
	LINK_ASKING,				/* a poll goes on */
	LINK_IDLE					/* connected, until the next poll */
} LinkState;

struct Target;

typedef struct Link
{
	struct Target *target;
	Place		place;			/* where it leads */
	const char *obstacle;		/* why it leads nowhere; NULL = it does not */
	char		name[PGPS_POOL_LEN];
	int			number;			/* number of the pooler in shared memory;
								 * PGPS_NO_POOLER = it is not shown */
	int			ordinal;		/* among the poolers of its target, from 1 */
	uint64		process;		/* that it is for, if others share its port */
	bool		scouts;			/* for those that are not polled yet */
	int			tries;			/* that are left to reach it */
	TimestampTz astray_since;	/* it reaches only others; 0 = it does not */

	LinkState	state;
	PGconn	   *conn;
	uint32		events;			/* events of its socket to wait for */
	bool		changed;		/* the set of sockets must be made anew */
	TimestampTz due;			/* time of the next poll */
	TimestampTz deadline;		/* end of the current poll */

	/* the current poll; everything of it is allocated in "context" */
	MemoryContext context;
	PgpsConsole console;
	bool		is_new;			/* nothing is known yet of what it reached */
	PgpsShow	first_show;		/* command that shows the version */
	PgpsShow	show;			/* command that is being answered */
	PgpsTable  *table;			/* its answer so far; NULL = none yet */
	int			room;			/* number of cells that the answer has room
								 * for */
	Size		received;		/* bytes received in this poll */
	Size		grown;			/* memory that libpq took for them */
	char		refusal[256];	/* the first error that a command was answered
								 * with */
} Link;

extern Link *link_make(struct Target *target, const Place *place);
extern void link_free(Link *link);
extern bool link_show(Link *link, const char *name, const char *listed);
extern void link_move(Link *link, const Place *place, const char *obstacle);
extern void link_poll(Link *link, TimestampTz now);
extern void link_advance(Link *link);
extern void link_fail(Link *link, const char *error);
extern bool link_is_local(const Link *link);

static inline bool
link_is_polling(const Link *link)
{
	return link->state == LINK_CONNECTING || link->state == LINK_ASKING;
}

/* answer.c */
extern const char *answer_take(Link *link, const PGresult *result);

/* shows.c */
extern PgpsShow shows_next(const Link *link);

/* guard.c */
extern Size guard_memory(void);
extern void guard_limit(int poolers);

#endif							/* PGPS_LINK_H */
