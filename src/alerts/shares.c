/*-------------------------------------------------------------------------
 *
 * shares.c
 *	  Who gets a place of a table that is too small for all.
 *
 * Pure: no shared memory, no lock, no clock.  Each role gets one place after
 * the other, in turns, so that only those are left out whose role has most.
 * What is about no role has some places of its own before that.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "alerts/shares.h"

static int
compare_roles(const void *a, const void *b)
{
	const PgpsClaim *x = a;
	const PgpsClaim *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int
compare_ranks(const void *a, const void *b)
{
	const PgpsClaim *x = a;
	const PgpsClaim *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/*
 * Sort claims: of so many places, the first so many get one.  "reserved" of the
 * server's go before all others.
 */
void
pgps_share_out(PgpsClaim *claims, int n, int reserved)
{
	int			first = 0;
	int			i;

	qsort(claims, n, sizeof(PgpsClaim), compare_roles);
	for (i = 0; i < n; i++)
	{
		if (claims[i].role != claims[first].role)
			first = i;
		claims[i].rank = i - first;
		if (!OidIsValid(claims[i].role))
			claims[i].rank -= reserved;
	}
	qsort(claims, n, sizeof(PgpsClaim), compare_ranks);
}
