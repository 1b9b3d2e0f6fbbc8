/*-------------------------------------------------------------------------
 *
 * cause.h
 *	  Why: what the connections that an alert is about do, and for whom they
 *	  wait.
 *
 * Parts are kept and saved, sentences are made when they are read: of a
 * culprit that the reader may not see, only the process is named.
 *
 * A new cause is a member of PgpsCauseKind, its row in sentence.c, and a line
 * in cause_finder.c that counts the connections it holds up.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CAUSE_H
#define PGPS_CAUSE_H

#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "base/text.h"

typedef enum PgpsCauseKind
{
	PGPS_CAUSE_NONE,			/* what they do is no reason that we know */
	PGPS_CAUSE_LOCK,
	PGPS_CAUSE_IDLE_IN_XACT,
	PGPS_NCAUSES
} PgpsCauseKind;

#define PGPS_WHAT_LEN 32

/* a connection, or another process, that holds something */
typedef struct PgpsParty
{
	Oid			roleid;			/* whose connection; InvalidOid = nobody's */
	int			pid;			/* 0 = it has none */
	TimestampTz backend_start;	/* of a connection */
	char		pool[PGPS_POOL_LEN];	/* of a connection */
	char		instance[PGPS_INSTANCE_LEN];
	char		via[PGPS_POOL_LEN]; /* pooler that hands it on, or empty */
	char		what[PGPS_WHAT_LEN];	/* if it is no connection; empty = nobody
										 * is known */
} PgpsParty;

typedef struct PgpsCause
{
	PgpsCauseKind kind;
	int			count;			/* connections that it holds up; 0 = none */
	int			looked_at;		/* of these, for whom they wait */
	int			behind;			/* of those, for the culprit */
	int			idle_in_xact;	/* beside them, idle in transaction */
	int			of;				/* connections that were lent out */
	PgpsParty	culprit;
	BackendState state;			/* of a culprit that is a connection */
	TimestampTz state_since;
	PgpsParty	between;		/* waits for the culprit, asks for
								 * AccessExclusiveLock, and is waited for */
	TimestampTz seen_at;		/* when it was there for the last time */
} PgpsCause;

/* of alerts.h and snapshot.h */
struct PgpsAlert;
struct PgpsInstanceState;
struct PgpsSnapshot;

/* may the reader see what is of this role? */
typedef bool (*PgpsMaySee) (Oid roleid);

static inline bool
pgps_party_is_known(const PgpsParty *party)
{
	return party->pid != 0 || party->what[0] != '\0';
}

static inline bool
pgps_same_party(const PgpsParty *a, const PgpsParty *b)
{
	return a->pid == b->pid && a->backend_start == b->backend_start &&
		strcmp(a->what, b->what) == 0;
}

/* cause_finder.c: causes of this moment, by kind */
typedef struct PgpsHeld PgpsHeld;

extern PgpsHeld *pgps_find_held(const struct PgpsSnapshot *snapshot);
extern const PgpsCause *pgps_find_causes(PgpsHeld *held,
										 const struct PgpsInstanceState *state);

/* causes.c: the one that counts, over time */
extern void pgps_note_causes(struct PgpsAlert *alert, const PgpsCause *causes,
							 TimestampTz now);
extern const PgpsCause *pgps_main_cause(const struct PgpsAlert *alert,
										double *seconds);
extern void pgps_forget_causes(TimestampTz now);

/* sentence.c */
extern const char *pgps_cause_name(PgpsCauseKind kind);
extern const char *pgps_cause_hint(const PgpsCause *cause);
extern char *pgps_culprit_text(const PgpsCause *cause, PgpsMaySee may_see);
extern char *pgps_sentence(const char *message, const PgpsCause *cause,
						   TimestampTz at, PgpsMaySee may_see);
extern bool pgps_sees_nobody(Oid roleid);

#endif							/* PGPS_CAUSE_H */
