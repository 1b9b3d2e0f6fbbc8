/*-------------------------------------------------------------------------
 *
 * cause_kinds.c
 *	  The causes: their names, and what follows from each.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/backend_status.h"

#include "alerts/cause.h"
#include "analysis/holdup.h"

typedef struct Kind
{
	const char *name;
	const char *brief;			/* for the view overview */
	const char *one;			/* behind the number of connections: 1 ... */
	const char *many;			/* ... or more */
	const char *hint;			/* NULL = that of the rule */
} Kind;

static const Kind kinds[PGPS_NCAUSES] = {
	[PGPS_CAUSE_LOCK] = {
		"lock", "lock", "waits for a lock", "wait for locks",
		"That transaction must end: let it finish, or end its connection; lock_timeout ends such waits, idle_in_transaction_session_timeout such transactions."
	},
	[PGPS_CAUSE_IDLE_IN_XACT] = {
		"idle in transaction", "idle xact",
		"idle in transaction", "idle in transaction",
		"The application keeps transactions open between its statements: look there; idle_in_transaction_session_timeout ends them."
	},
	[PGPS_CAUSE_NESTED] = {
		"nested", "nested", "idle in transaction", "idle in transaction",
		"Who asks for a second connection while it holds one may wait for itself: take both at once, or only one; more connections only make it rarer."
	},
	[PGPS_CAUSE_CPU] = {
		"cpu", "cpu", "on a CPU or waiting for one", "on a CPU or waiting for one",
		"See top_queries for the statements; if all processors are busy, fewer connections at once finish sooner."
	},
	[PGPS_CAUSE_IO] = {
		"io", "io", "reads or writes", "read or write",
		"See top_queries for the statements, and what they read: a missing index, or too little memory for what is used."
	},
	[PGPS_CAUSE_LWLOCK] = {
		"lwlock", "lwlock", "waits for a lock inside the server",
		"wait for locks inside the server",
		"They are in each other's way inside the server: fewer connections at once get more done. See wait_event of pg_stat_activity."
	},
	[PGPS_CAUSE_CLIENT] = {
		"client", "client", "waits for its client", "wait for their clients",
		"The server has done its part: look at the application and the network; fetch large results in pieces."
	},
	[PGPS_CAUSE_OTHER] = {
		"other", "other", "waits for something else", "wait for something else",
		"See wait_event of pg_stat_activity for these connections."
	},
	[PGPS_CAUSE_LENT_IDLE] = {
		"lent but idle", "lent idle", "lent but idle", "lent but idle",
		"The application holds connections that it does not use: see leaks for those that were never given back, and connections for what is held between statements."
	},
	[PGPS_CAUSE_GHOSTS] = {
		"ghosts", "ghosts", "lent but not connected here",
		"lent but not connected here",
		"The pool counts connections that have ended: its processes, or the network between, lost them. A keepalive and a maximum lifetime let it find out."
	},
	[PGPS_CAUSE_NOT_CONNECTED] = {
		"not connected", "login", "rejected login", "rejected logins",
		"See rejections for who logs in how, and what changed: password, pg_hba.conf, a name."
	},
	[PGPS_CAUSE_POOLER] = {
		"pooler", "pooler", "waits in its pooler", "wait in their pooler",
		"See chains and poolers: what its connections to this server do, and whether it may have more of them."
	},
	[PGPS_CAUSE_SERVER_FULL] = {
		"server full", "full", "rejected by a limit", "rejected by a limit", NULL
	},
	[PGPS_CAUSE_ROLE_FULL] = {
		"role full", "full", "rejected by a limit", "rejected by a limit", NULL
	},
	[PGPS_CAUSE_DATABASE_FULL] = {
		"database full", "full", "rejected by a limit", "rejected by a limit", NULL
	},
	[PGPS_CAUSE_POOL_FULL] = {
		"pool full", "full", "rejected by pool_limits", "rejected by pool_limits",
		"pool_limits allows no more: see limits, and what its connections do in the view connections."
	},

	/* its rule has the words, and the hint */
	[PGPS_CAUSE_FORK] = {"fork", "fork"},
	[PGPS_CAUSE_LOST] = {"lost", "lost"},
	[PGPS_CAUSE_CRASH] = {"crash", "crash"},
	[PGPS_CAUSE_CUT_OFF] = {"cut off", "cut off"},
	[PGPS_CAUSE_ENDED] = {"ended", "ended"}
};

/* what to do about a pooler */
static const char *const holdup_hints[PGPS_HOLDUPS] = {
	[PGPS_HOLDUP_PAUSED] = "Somebody paused it: RESUME in the pooler's console.",
	[PGPS_HOLDUP_DISABLED] = "Somebody disabled the database: ENABLE it in the pooler's console.",
	[PGPS_HOLDUP_LOGIN] = "See rejections for what changed: the pooler's password for this server, pg_hba.conf, a name.",
	[PGPS_HOLDUP_LIMIT] = "See budget for the limit that it is at, and who holds it.",
	[PGPS_HOLDUP_NO_CONNECTION] = "RESUME in the pooler's console if it is paused; else see its log for why it does not reach this server.",
	[PGPS_HOLDUP_IDLE_SESSIONS] = "In session mode a client keeps its connection for as long as it is connected: pool_mode = transaction, fewer idle clients in the application that holds them, or client_idle_timeout.",
	[PGPS_HOLDUP_CONNECTING] = "New connections take long: see the load of the server, and the pooler's log.",
	[PGPS_HOLDUP_CLIENT_LIMIT] = "Raise max_client_conn of the pooler, or make the pools before it smaller: see chains."
};

/* what to do about who holds a lock, if that is no transaction of a client */
static const struct
{
	const char *what;
	const char *hint;
}			holder_hints[] = {
	{"a prepared transaction", "See pg_prepared_xacts: its transaction manager must end it, or COMMIT PREPARED or ROLLBACK PREPARED does; no timeout does."},
	{"autovacuum", "It gives way after deadlock_timeout unless it prevents wraparound: then let it finish, and see pg_stat_progress_vacuum."},
	{"recovery", "It replays what was locked on the primary: that transaction must end there."}
};

static const char *
hint_of_holder(const PgpsCause *cause)
{
	int			i;

	for (i = 0; i < lengthof(holder_hints); i++)
	{
		if (strcmp(cause->culprit.what, holder_hints[i].what) == 0)
			return holder_hints[i].hint;
	}

	/* it is another's by the time that somebody ends it */
	if (cause->culprit.via[0] != '\0')
		return "That transaction must end: see chains for who uses that connection of the pooler; lock_timeout ends such waits by itself.";
	if (cause->culprit.pid != 0 && cause->state == STATE_IDLE)
		return "It holds its lock outside of a transaction, as advisory locks of a session are: that lasts until it is released, or the connection ends.";
	return kinds[PGPS_CAUSE_LOCK].hint;
}

/* NULL for none */
const char *
pgps_cause_name(PgpsCauseKind kind)
{
	return kind >= 0 && kind < PGPS_NCAUSES ? kinds[kind].name : NULL;
}

/* The same in at most nine characters */
const char *
pgps_cause_short(PgpsCauseKind kind)
{
	return kinds[kind].brief;
}

/* What so many do: "wait for locks" */
const char *
pgps_cause_words(PgpsCauseKind kind, bool one)
{
	return one ? kinds[kind].one : kinds[kind].many;
}

/* What to do about it; NULL if its rule knows better */
const char *
pgps_cause_hint(const PgpsCause *cause)
{
	if (cause->said)
		return NULL;
	if (cause->kind == PGPS_CAUSE_LOCK)
		return hint_of_holder(cause);
	if (cause->kind == PGPS_CAUSE_POOLER && holdup_hints[cause->holdup] != NULL)
		return holdup_hints[cause->holdup];
	return kinds[cause->kind].hint;
}
