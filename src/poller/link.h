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

#include "libpq-fe.h"

#include "base/text.h"
#include "poolers/console.h"

typedef enum LinkState
{
	LINK_CLOSED,
	LINK_CONNECTING,
	LINK_ASKING,				/* a poll goes on */
	LINK_IDLE					/* connected, until the next poll */
} LinkState;

typedef struct Link
{
	char		name[PGPS_POOL_LEN];
	char	   *conninfo;
	int			number;			/* number of the pooler in shared memory */

	LinkState	state;
	PGconn	   *conn;
	uint32		events;			/* events of its socket to wait for */
	bool		changed;		/* the set of sockets must be made anew */
	TimestampTz due;			/* time of the next poll */
	TimestampTz deadline;		/* end of the current poll */

	/* the current poll; everything of it is allocated in "context" */
	MemoryContext context;
	PgpsConsole console;
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

extern Link *link_make(const char *name, const char *conninfo, int number);
extern void link_free(Link *link);
extern void link_poll(Link *link, TimestampTz now);
extern void link_advance(Link *link);
extern void link_fail(Link *link, const char *error);

/* target.c */
extern const char *target_is_wrong(const char *conninfo);

/* guard.c */
extern Size guard_memory(void);
extern void guard_limit(int poolers);

#endif							/* PGPS_LINK_H */
