/*-------------------------------------------------------------------------
 *
 * incidents.h
 *	  What fired, kept after it cleared.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_INCIDENTS_H
#define PGPS_INCIDENTS_H

#include "datatype/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "base/text.h"

typedef struct PgpsIncident
{
	int64		id;
	char		rule[PGPS_RULE_LEN];	/* by name: it is saved */
	PgpsSubject subject;
	PgpsSeverity severity;		/* its highest */
	int32		times;			/* that it fired */
	bool		restored;		/* it fired when the server stopped, and has
								 * not fired since */
	TimestampTz began;
	TimestampTz ended;			/* 0 = it fires */
	TimestampTz fired_at;		/* last pass that it fired at */
	double		worst;			/* its highest value */

	/* at its worst pass */
	TimestampTz message_at;
	int64		waiting;
	int64		held;
	double		value;
	char		instance[PGPS_INSTANCE_LEN];
	char		message[PGPS_MESSAGE_LEN];

	PgpsCause	cause;			/* with most connection-seconds */
	double		cause_seconds;
} PgpsIncident;

typedef struct PgpsIncidents
{
	int			count;
	PgpsIncident *incidents;	/* in no order */
	int			without_place;	/* of what fires now */
	int64		gave_way;		/* since the server started */
} PgpsIncidents;

extern Size pgps_incidents_size(void);
extern void pgps_incidents_init(void *area, bool found);
extern PgpsIncidents *pgps_incidents_copy(void);
extern void pgps_incidents_left_out(int *without_place, int64 *gave_way);
extern void pgps_incidents_restore(const PgpsIncident *saved, int n);

/* for the collector */
extern void pgps_incidents_note(const PgpsAlerts *alerts);

#endif							/* PGPS_INCIDENTS_H */
