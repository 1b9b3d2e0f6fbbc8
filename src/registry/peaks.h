/*-------------------------------------------------------------------------
 *
 * peaks.h
 *	  The most connections at once of the server, each role and database.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_PEAKS_H
#define PGPS_PEAKS_H

#include "datatype/timestamp.h"

typedef enum PgpsScope
{
	PGPS_SCOPE_SERVER,
	PGPS_SCOPE_DATABASE,
	PGPS_SCOPE_ROLE,
	PGPS_SCOPE_POOLER,
	PGPS_SCOPE_POOL
} PgpsScope;

typedef struct PgpsPeak
{
	PgpsScope	scope;
	Oid			oid;			/* InvalidOid: the server */
	int32		peak;
	TimestampTz peak_at;
	uint64		rejected;		/* by what its rejections are counted: a hash
								 * of its name */
} PgpsPeak;

extern Size pgps_peaks_size(void);
extern void pgps_peaks_init(void *area, bool found);

/* caller holds the registry's lock exclusively */
extern void pgps_peaks_connect(Oid roleid, Oid dbid, int processes,
							   TimestampTz now);

/* these take no lock */
extern void pgps_peaks_disconnect(void);
extern void pgps_peaks_reset(TimestampTz now);
extern int	pgps_peaks_capacity(void);
extern int	pgps_peaks_max(void);
extern int	pgps_peaks_copy(PgpsPeak *to, int room);

/* while the server starts */
extern void pgps_peaks_restore(const PgpsPeak *saved, int n);

#endif							/* PGPS_PEAKS_H */
