/*-------------------------------------------------------------------------
 *
 * leaks.h
 *	  Connections that somebody borrowed and does not use.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_LEAKS_H
#define PGPS_LEAKS_H

#include "datatype/timestamp.h"

#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "registry/backends.h"

typedef enum PgpsLeakKind
{
	PGPS_LEAK_LENT,				/* lent out, as the pool reports, and idle */
	PGPS_LEAK_IN_XACT,			/* idle in a transaction */
	PGPS_LEAK_UNREAD,			/* amid a statement that its client has left */
	PGPS_LEAK_KINDS
} PgpsLeakKind;

/* why a connection may be held without a statement */
typedef enum PgpsExemption
{
	PGPS_NOT_EXEMPT,
	PGPS_EXEMPT_LISTENS,
	PGPS_EXEMPT_ADVISORY_LOCK
} PgpsExemption;

typedef struct PgpsSuspect
{
	const PgpsBackend *backend;
	TimestampTz since;			/* when it was last used */
	PgpsExemption exempt;
} PgpsSuspect;

/* what one instance has leaked in one way */
typedef struct PgpsLeak
{
	const PgpsInstanceState *state;
	PgpsLeakKind kind;
	int			at_least;		/* never more than there are */
	int			candidates;		/* number of connections among which they are */
	PgpsSuspect *suspects;		/* the candidates, longest idle first, then
								 * the exempt ones */
	int			nsuspects;
	bool		by_pid;			/* the pool named them */
	int			idle;			/* otherwise, how many may be idle in the pool */
	TimestampTz since;			/* at the latest */
} PgpsLeak;

/* the rise of the fewest connections that a pool had lent out */
typedef struct PgpsFloor
{
	bool		rises;
	int32		floor[3];		/* the last three; the newest last */
	int32		before;			/* the highest of the six hours before */
	double		rate;			/* connections per microsecond */
	TimestampTz at;				/* end of the newest */
} PgpsFloor;

extern PgpsLeak *pgps_find_leaks(const PgpsSnapshot *snapshot, int *nleaks);
extern void pgps_find_floor(PgpsFloor *floor, const PgpsBucket *buckets,
							int nbuckets, TimestampTz now);
extern TimestampTz pgps_exhausts_at(const PgpsFloor *floor, int64 max_size);
extern char *pgps_leak_evidence(const PgpsLeak *leak, const PgpsFloor *floor,
								TimestampTz now);
extern char *pgps_leak_exempt(const PgpsLeak *leak);
extern const char *pgps_leak_advice(const PgpsLeak *leak);

#endif							/* PGPS_LEAKS_H */
