/*-------------------------------------------------------------------------
 *
 * shares.h
 *	  Who gets a place of a table that is too small for all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SHARES_H
#define PGPS_SHARES_H

/* one thing that wants a place */
typedef struct PgpsClaim
{
	Oid			role;			/* whose it is; InvalidOid = the server's */
	int			order;			/* among those of its role: lowest stays
								 * longest */
	int			item;			/* which one, for the caller */
	int			rank;			/* worked out here */
} PgpsClaim;

extern void pgps_share_out(PgpsClaim *claims, int n, int reserved);

#endif							/* PGPS_SHARES_H */
