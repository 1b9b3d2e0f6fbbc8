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

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "analysis/snapshot.h"
#include "base/text.h"
#include "registry/patterns.h"

#define PGPS_MESSAGE_LEN 512

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
	char		message[PGPS_MESSAGE_LEN];	/* what its rule says */
	int64		waiting;		/* callers of its pool, and connections that
								 * it has lent out; 0 = unknown */
	int64		held;
	PgpsCause	cause;
} PgpsAlert;

/* by what an alert is known, for hash tables; no padding */
typedef struct PgpsAlertKey
{
	int			rule;
	PgpsSubjectKey subject;
} PgpsAlertKey;

/* what fires about a subject, is not silenced and has no place */
typedef struct PgpsLeftOut
{
	PgpsSubjectKey subject;
	PgpsSeverity severity;		/* of the worst */
	TimestampTz since;			/* the oldest of these */
	int			count;
} PgpsLeftOut;

typedef struct PgpsAlerts
{
	TimestampTz evaluated_at;	/* 0 = not yet */
	int			count;
	PgpsAlert  *alerts;			/* worst first */
	int			without_place;	/* alerts, also silenced and pending ones */
	int			nleft_out;
	PgpsLeftOut *left_out;
} PgpsAlerts;

extern void pgps_alert_key(PgpsAlertKey *key, int rule,
						   const PgpsSubject *subject);

/* for the collector, inside a transaction */
extern void pgps_alerts_evaluate(const PgpsSnapshot *snapshot);

/* alert_table.c: those that others can read */
extern Size pgps_alerts_size(void);
extern void pgps_alerts_init(void *area, bool found);
extern PgpsAlerts *pgps_alerts_copy(void);
extern void pgps_alerts_publish(PgpsAlerts *alerts, const bool *silenced);

/* limit_rules.c */
extern bool pgps_collector_alert(PgpsAlert *alert, TimestampTz now);

/* silences.c: alerts that nobody wants to hear of for a while */
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

typedef struct PgpsSilences
{
	int			n;
	PgpsSilence *silences;
	PgpsTarget *targets;		/* of each */
} PgpsSilences;

/* what became of a new one */
typedef enum PgpsSilenceRoom
{
	PGPS_SILENCE_HAS_ROOM,
	PGPS_SILENCE_ROLE_FULL,		/* its owner has PGPS_MAX_OWN_SILENCES */
	PGPS_SILENCE_FIRSTS_ONLY,	/* what is free is for others */
	PGPS_SILENCE_ALL_FULL
} PgpsSilenceRoom;

extern PgpsSilenceRoom pgps_silence_add(PgpsSilence *silence, TimestampTz now);
extern bool pgps_silence_end(int32 id, Oid owner);

extern PgpsSilences *pgps_silences_copy(TimestampTz now);
extern TimestampTz pgps_silenced_until(const PgpsSilences *silences,
									   const PgpsAlert *alert);
extern void pgps_silence_restore(const PgpsSilence *silence);

/* announce.c: says what was raised and cleared in the log */
extern List *pgps_announce(PgpsAlerts *alerts, const PgpsAlerts *before,
						   const bool *cleared, const bool *silenced,
						   const PgpsSilences *silences);

/* an alert that was raised or cleared */
typedef struct PgpsEvent
{
	const PgpsAlert *alert;
	bool		cleared;
} PgpsEvent;

/* notifier.c: sends alerts by NOTIFY, by a short-lived worker */
extern Size pgps_notifier_size(void);
extern void pgps_notifier_init(void *area, bool found);
extern void pgps_send_events(const List *events, TimestampTz now);
extern uint64 pgps_events_lost(void);
extern PGDLLEXPORT void pgps_notifier_main(Datum arg);

#endif							/* PGPS_ALERTS_H */
