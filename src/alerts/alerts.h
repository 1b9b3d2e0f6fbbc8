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

/* notifier.c: sends alerts by NOTIFY, by a short-lived worker */
extern Size pgps_notifier_size(void);
extern void pgps_notifier_init(void *area, bool found);
extern void pgps_queue_event(const PgpsAlert *alert, bool cleared,
							 TimestampTz now);
extern void pgps_send_events(TimestampTz now);
extern PGDLLEXPORT void pgps_notifier_main(Datum arg);

/* silences.c: alerts that nobody wants to hear of for a while */
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
									   const PgpsAlert *alert);
extern void pgps_silence_restore(const PgpsSilence *silence);

#endif							/* PGPS_ALERTS_H */
