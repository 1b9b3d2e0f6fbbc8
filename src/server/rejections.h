/*-------------------------------------------------------------------------
 *
 * rejections.h
 *	  Connections that were rejected.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_REJECTIONS_H
#define PGPS_REJECTIONS_H

#include "registry/rejected.h"
#include "server/origin.h"
#include "server/rejection_rows.h"

typedef struct PgpsRejections
{
	int			nrejections;
	PgpsRejection *rejections;	/* oldest first */
	int			ncounters;
	PgpsRejected *counters;		/* sorted */
} PgpsRejections;

extern Size pgps_rejections_size(void);
extern void pgps_rejections_init(void *area, bool found);
extern void pgps_rejections_install(void);
extern void pgps_rejections_reset(void);

extern PgpsRejections *pgps_rejections_copy(void);
extern void pgps_rejections_leave_out_base(PgpsRejections *copy);
extern void pgps_rejections_restore(const PgpsRejections *saved,
									bool crashed);

extern uint64 pgps_reason_hash(PgpsReason reason);
extern uint64 pgps_other_limits_hash(void);
extern PgpsRejected pgps_rejected_by(const PgpsRejections *rejections,
									 uint64 hash, PgpsRejecter by);
extern PgpsRejected pgps_rejected(const PgpsRejections *rejections,
								  uint64 hash);
extern bool pgps_rejections_left_out(const PgpsRejections *rejections);

#endif							/* PGPS_REJECTIONS_H */
