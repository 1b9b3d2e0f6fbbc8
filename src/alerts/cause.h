/*-------------------------------------------------------------------------
 *
 * cause.h
 *	  Why: what the connections that an alert is about do, and for whom they
 *	  wait.
 *
 * Parts are kept and saved, sentences are made when they are read: of a
 * culprit that the reader may not see, only the process is named.
 *
 * A new cause is a member of PgpsCauseKind, its row in cause_kinds.c, its words
 * in sentence.c, and what counts the connections that it holds up: in
 * cause_finder.c what they do, in cause_outside.c what is not theirs.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_CAUSE_H
#define PGPS_CAUSE_H

#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "analysis/snapshot.h"
#include "base/text.h"
#include "registry/backends.h"
#include "server/origin.h"

typedef enum PgpsCauseKind
{
	PGPS_CAUSE_NONE,			/* what they do is no reason that we know */

	/* what connections in a transaction do */
	PGPS_CAUSE_LOCK,
	PGPS_CAUSE_IDLE_IN_XACT,
	PGPS_CAUSE_NESTED,			/* the same, while their own callers wait */
	PGPS_CAUSE_CPU,
	PGPS_CAUSE_IO,
	PGPS_CAUSE_LWLOCK,
	PGPS_CAUSE_CLIENT,			/* the server waits for the client */
	PGPS_CAUSE_OTHER,

	/* what is lent out, and in none */
	PGPS_CAUSE_LENT_IDLE,
	PGPS_CAUSE_GHOSTS,			/* to connections that are not here */

	/* why there are not more */
	PGPS_CAUSE_NOT_CONNECTED,	/* logins are rejected */
	PGPS_CAUSE_POOLER,
	PGPS_CAUSE_SERVER_FULL,
	PGPS_CAUSE_ROLE_FULL,
	PGPS_CAUSE_DATABASE_FULL,
	PGPS_CAUSE_POOL_FULL,		/* by pool_limits */

	PGPS_CAUSE_COMMITTED,		/* who may ask for how many */

	/* what its rule says by itself */
	PGPS_CAUSE_FORK,			/* "between" is whose connection it uses */
	PGPS_CAUSE_LOST,
	PGPS_CAUSE_CRASH,			/* how connections ended: with the server, */
	PGPS_CAUSE_CUT_OFF,			/* by the client or the network, */
	PGPS_CAUSE_ENDED,			/* or by the server */
	PGPS_NCAUSES
} PgpsCauseKind;

#define PGPS_WHAT_LEN 40

/* a connection, or another process, that holds something */
typedef struct PgpsParty
{
	Oid			roleid;			/* whose connection; InvalidOid = nobody's */
	int			pid;			/* 0 = it has none */
	TimestampTz backend_start;	/* of a connection */
	char		pool[PGPS_POOL_LEN];	/* of a connection */
	char		instance[PGPS_INSTANCE_LEN];
	char		via[PGPS_POOL_LEN]; /* pooler that hands it on, or empty */
	char		what[PGPS_WHAT_LEN];	/* if it is no connection or pool;
										 * empty = nobody is known */
} PgpsParty;

/* a pool that holds connections, or may ask for them */
typedef struct PgpsHolder
{
	Oid			roleid;
	char		pool[PGPS_POOL_LEN];
	int			connections;
	int			idle;			/* of those, in no transaction */
	int			idle_in_xact;
	bool		superuser;
} PgpsHolder;

#define PGPS_HOLDERS 3

typedef struct PgpsCause
{
	PgpsCauseKind kind;
	int			count;			/* connections that it holds up; 0 = none */
	int			of;				/* connections that were lent out */
	PgpsCauseKind also;			/* what holds up most of the others ... */
	int			also_count;		/* ... and how many; 0 = none */
	PgpsParty	culprit;
	BackendState state;			/* of a culprit that is a connection */
	TimestampTz state_since;
	TimestampTz oldest_since;	/* of all of them, what they do */
	TimestampTz seen_at;		/* when it was there for the last time */
	bool		said;			/* by the rule: not in the sentence again */

	/* of a lock */
	int			looked_at;		/* of them, for whom they wait */
	int			behind;			/* of those, for the culprit */
	PgpsParty	between;		/* waits for the culprit, asks for
								 * AccessExclusiveLock, and is waited for */

	/* of statements */
	int64		queryid;		/* that most of them run, or ran last; 0 =
								 * unknown */
	int			of_query;		/* how many do */
	float		busy;			/* sessions of all pools on a CPU, or waiting
								 * for one; negative = unknown */
	float		cores;
	int			sending;		/* whose client is to send something */
	uint32		wait_class;		/* of others */

	/* of rejected connections */
	PgpsReason	reason;
	int64		rejected;
	TimestampTz rejected_since;

	/* of a pooler */
	uint8		holdup;			/* PgpsHoldupKind */
	int			clients;		/* that wait in it */
	char		waiting_app[PGPS_POOL_LEN]; /* most of them ... */
	bool		several_wait;	/* ... and not all */
	PgpsParty	holder;			/* an idle session, for longest ... */
	bool		several_hold;	/* ... beside those of others; all of them: */
	int			idle;

	/* of a limit */
	int			nholders;
	PgpsHolder	holders[PGPS_HOLDERS];
	int			others;			/* connections of other pools */
	TimestampTz as_of;			/* a late report's time; 0 = it is fresh */
} PgpsCause;

/* of alerts.h and snapshot.h */
struct PgpsAlert;
struct PgpsInstanceState;
struct PgpsSnapshot;
struct PgpsSubject;

/* may the reader see what is of this role? */
typedef bool (*PgpsMaySee) (Oid roleid);

static inline bool
pgps_party_is_known(const PgpsParty *party)
{
	return party->pid != 0 || party->what[0] != '\0' ||
		party->pool[0] != '\0';
}

static inline bool
pgps_same_party(const PgpsParty *a, const PgpsParty *b)
{
	return a->pid == b->pid && a->backend_start == b->backend_start &&
		strcmp(a->what, b->what) == 0;
}

/* party.c */
extern void pgps_describe_backend(PgpsParty *party, const PgpsBackend *backend,
								  const struct PgpsSnapshot *snapshot);

/* cause_finder.c: causes of this moment, by kind */
typedef struct PgpsHeld PgpsHeld;

extern PgpsHeld *pgps_find_held(const struct PgpsSnapshot *snapshot);
extern const PgpsCause *pgps_find_causes(PgpsHeld *held,
										 const struct PgpsInstanceState *const *states,
										 int n);

/* lock_culprit.c */
#define PGPS_LOOKS 8			/* at waiters, in a second */
#define PGPS_NO_SHARE (-1)		/* of them, for a pool that did not ask yet */

extern void pgps_renew_looks(TimestampTz now);
extern void pgps_find_culprit(PgpsCause *cause,
							  const struct PgpsSnapshot *snapshot,
							  const PgpsBackend *const *waiters, int *share);

/* cause_outside.c */
extern const PgpsCause *pgps_find_outside(PgpsCause *causes,
										  const struct PgpsInstanceState *state,
										  int64 waiting,
										  const struct PgpsSnapshot *snapshot);
extern const PgpsCause *pgps_find_holders(const struct PgpsSubject *subject,
										  bool committed,
										  const struct PgpsSnapshot *snapshot);

/* causes.c: the one that counts, over time */
extern void pgps_note_causes(struct PgpsAlert *alert, const PgpsCause *causes,
							 TimestampTz now);
extern const PgpsCause *pgps_main_cause(const struct PgpsAlert *alert,
										double *seconds);
extern void pgps_forget_causes(TimestampTz now);

/* cause_kinds.c */
extern const char *pgps_cause_name(PgpsCauseKind kind);
extern const char *pgps_cause_short(PgpsCauseKind kind);
extern const char *pgps_cause_words(PgpsCauseKind kind, bool one);
extern const char *pgps_cause_hint(const PgpsCause *cause);

/* sentence.c */
extern char *pgps_culprit_text(const PgpsCause *cause, PgpsMaySee may_see);
extern char *pgps_sentence(const char *message, const PgpsCause *cause,
						   TimestampTz at, PgpsMaySee may_see);
extern bool pgps_sees_nobody(Oid roleid);

#endif							/* PGPS_CAUSE_H */
