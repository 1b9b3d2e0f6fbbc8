/*-------------------------------------------------------------------------
 *
 * names.h
 *	  From the name of a host to addresses, while everybody goes on.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_NAMES_H
#define PGPS_NAMES_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "datatype/timestamp.h"
#include "storage/latch.h"

#include "base/compat.h"
#include "poolers/poolers.h"

#define MAX_NAME_SOCKETS 32

/* where to connect to */
typedef struct Place
{
	char		address[INET6_ADDRSTRLEN];	/* empty: as the connection string
											 * says */
	char		port[6];		/* the same */
} Place;

typedef struct HostName
{
	char		host[256];
	TimestampTz due;			/* when it is to be looked up again */
	bool		changed;		/* since somebody looked at the places */
	int			nplaces;
	Place		places[PGPS_MAX_PLACES];
	int			beyond;			/* places that were told beside them */
	const char *trouble;		/* why the last look-up told nothing; NULL =
								 * it did */

	/* the look-up that goes on */
	int			pending;		/* questions without an answer */
	int			nfound;
	Place		found[PGPS_MAX_PLACES];
	int			found_beyond;
	int			ttl;			/* seconds; the least of what was found */
	const char *failed;			/* a question that nobody answered */
	bool		unused;			/* to be freed at its end */
} HostName;

extern HostName *name_make(const char *host);
extern void name_free(HostName *name);
extern void name_look_up(HostName *name);

/* all that go on */
extern void names_reset(void);
extern bool names_changed(void);
extern void names_watch(WaitEventSet *set);
extern bool names_heard(const WaitEvent *event);
extern void names_watch_clock(void);
extern long names_time_left(long most);

#endif							/* PGPS_NAMES_H */
