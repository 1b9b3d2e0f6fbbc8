/*-------------------------------------------------------------------------
 *
 * acts.h
 *	  What somebody did to a pool, until the collector takes it.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ACTS_H
#define PGPS_ACTS_H

#include "nodes/pg_list.h"

#include "alerts/overrides.h"

typedef enum PgpsAct
{
	PGPS_ACT_TERMINATE,
	PGPS_ACT_DRAIN
} PgpsAct;

/* among alerts: no rule, but what somebody did */
#define PGPS_RULE_OF_ACT(act) (-1 - (int) (act))
#define PGPS_ACT_OF_RULE(rule) ((PgpsAct) (-1 - (rule)))

extern Size pgps_acts_size(void);
extern void pgps_acts_init(void *area, bool found);
extern const char *pgps_act_name(PgpsAct act);
extern void pgps_add_act(PgpsAct act, const PgpsSubject *subject, int count,
						 const char *message);
extern int64 pgps_acts_left_out(void);

/* for the collector */
extern List *pgps_take_acts(void);

#endif							/* PGPS_ACTS_H */
