/*-------------------------------------------------------------------------
 *
 * target.h
 *	  One entry of the setting pgpool_stats.poolers, and its connections.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_TARGET_H
#define PGPS_TARGET_H

#include "datatype/timestamp.h"

#include "base/text.h"
#include "poller/link.h"
#include "poller/names.h"
#include "poolers/poolers.h"

/* of one entry; one of them may only be looking for further processes */
#define MAX_LINKS (PGPS_MAX_PLACES + 1)

typedef struct Target
{
	char		name[PGPS_POOL_LEN];
	char	   *conninfo;
	HostName   *host;			/* NULL = it needs no look-up */
	bool		several;		/* it had more than one pooler */
	bool		scouted;		/* its ports have been searched for processes */
	int			turn;			/* which of its poolers' ports is next */
	int			left_out;		/* poolers that there is no room for */
	int			nlinks;
	Link	   *links[MAX_LINKS];
} Target;

extern Target *target_make(const char *name, const char *conninfo);
extern void target_begin(Target *target, TimestampTz due);
extern void target_free(Target *target);
extern bool target_is(const Target *target, const char *name,
					  const char *conninfo);
extern bool target_accepts(Link *link, uint64 process);
extern bool target_is_scouted(const Link *link);
extern bool target_is_alone(const Link *link);
extern void target_watch_clock(Target *target, TimestampTz now);
extern TimestampTz target_due(const Target *target, TimestampTz next);

/* target_hosts.c */
extern const char *target_host(const char *conninfo, char *name, Size size);

#endif							/* PGPS_TARGET_H */
