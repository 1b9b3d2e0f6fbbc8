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

#include "snapshot.h"

typedef enum PgpsLeakKind
{
	PGPS_LEAK_LENT,				/* lent out by the pool's books, and idle */
	PGPS_LEAK_IN_XACT			/* idle in a transaction */
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
	PgpsExemption exempt;
} PgpsSuspect;

/* what one instance has leaked in one way */
typedef struct PgpsLeak
{
	const PgpsInstanceView *view;
	PgpsLeakKind kind;
	int			at_least;		/* never more than there are */
	int			candidates;		/* among which they are: the first of ... */
	PgpsSuspect *suspects;		/* ... these, longest idle first; the others
								 * are exempt */
	int			nsuspects;
	bool		by_pid;			/* the pool named them */
	int			idle;			/* else so many of them may be the pool's */
	TimestampTz since;			/* at the latest */
} PgpsLeak;

extern PgpsLeak *pgps_find_leaks(const PgpsSnapshot *snapshot, int *nleaks);
extern char *pgps_leak_evidence(const PgpsLeak *leak, TimestampTz now);
extern char *pgps_leak_exempt(const PgpsLeak *leak);
extern const char *pgps_leak_advice(const PgpsLeak *leak);

/* locks.c */
extern void pgps_exempt_lock_holders(PgpsSuspect *suspects, int n);

#endif							/* PGPS_LEAKS_H */
