/*-------------------------------------------------------------------------
 *
 * silences.h
 *	  Alerts that nobody wants to hear of for a while.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SILENCES_H
#define PGPS_SILENCES_H

#include "alerts/targets.h"

#define PGPS_MAX_SILENCES 64
#define PGPS_MAX_OWN_SILENCES 16	/* of a role that is no operator */
#define PGPS_RULE_LEN 64
#define PGPS_TARGET_LEN 192
#define PGPS_REASON_LEN 128

typedef struct PgpsSilence
{
	int32		id;				/* 0 = free */
	Oid			owner;			/* role that made it */
	bool		everything;		/* else only pools of its owner */
	char		rule[PGPS_RULE_LEN];	/* or "*" */
	char		target[PGPS_TARGET_LEN];	/* as in alert_rules */
	char		reason[PGPS_REASON_LEN];
	NameData	created_by;
	TimestampTz created_at;
	TimestampTz until;
} PgpsSilence;

extern Size pgps_silences_size(void);
extern void pgps_silences_init(void *area, bool found);

extern int32 pgps_silence_add(const PgpsSilence *silence, TimestampTz now);
extern bool pgps_silence_end(int32 id, Oid owner);

/* there is room for PGPS_MAX_SILENCES */
extern int	pgps_silences_copy(PgpsSilence *silences, TimestampTz now);
extern TimestampTz pgps_silenced_until(const PgpsSilence *silences, int n,
									   int rule, const PgpsSubject *subject);
extern void pgps_silence_restore(const PgpsSilence *silence);

#endif							/* PGPS_SILENCES_H */
