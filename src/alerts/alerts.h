/*-------------------------------------------------------------------------
 *
 * alerts.h
 *	  Alerts: findings that lasted, since when, and who was notified.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ALERTS_H
#define PGPS_ALERTS_H

#include "alerts/findings.h"

#define PGPS_MAX_ALERTS 1024
#define PGPS_MESSAGE_LEN 256

typedef struct PgpsAlert
{
	int			rule;			/* its place in pgps_rules */
	PgpsSubject subject;
	PgpsSeverity severity;
	bool		firing;			/* it lasted as long as the rule wants */
	PgpsSeverity announced;		/* as what it was logged and sent */
	TimestampTz since;
	double		value;
	double		threshold;		/* of its severity */
	char		instance[PGPS_INSTANCE_LEN];	/* the worst one, or empty */
	char		message[PGPS_MESSAGE_LEN];
} PgpsAlert;

typedef struct PgpsAlerts
{
	TimestampTz evaluated_at;	/* 0 = not yet */
	int			count;
	PgpsAlert  *alerts;			/* worst first */
} PgpsAlerts;

extern Size pgps_alerts_size(void);
extern void pgps_alerts_init(void *area, bool found);

/* for the collector, inside a transaction */
extern void pgps_alerts_evaluate(const PgpsSnapshot *snapshot);

extern PgpsAlerts *pgps_alerts_copy(void);

/* limit_rules.c */
extern bool pgps_collector_alert(PgpsAlert *alert, TimestampTz now);

#endif							/* PGPS_ALERTS_H */
