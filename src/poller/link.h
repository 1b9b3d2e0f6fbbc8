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
	int			number;			/* among the poolers in shared memory */

	LinkState	state;
	PGconn	   *conn;
	uint32		events;			/* what its socket is waited for */
	bool		changed;		/* socket or events are not those of the set */
	TimestampTz due;			/* next poll */
	TimestampTz deadline;		/* of this one */

	/* the poll that goes on; all of it in "context" */
	MemoryContext context;
	PgpsConsole console;
	PgpsShow	first_show;		/* what tells its version */
	PgpsShow	show;			/* what is being asked */
	PgpsTable  *table;			/* and answered so far; NULL = nothing yet */
	int			room;			/* cells there is room for in it */
	Size		received;		/* bytes of this poll */
	Size		grown;			/* memory taken for them */
	char		refusal[256];	/* first error that was an answer */
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
