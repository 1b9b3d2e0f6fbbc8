/*-------------------------------------------------------------------------
 *
 * life.c
 *	  How this session was made, and how it ends.
 *
 * Made: from the fork (18: from when the postmaster took the connection) to
 * the success of authentication, and on to the commit of the start-up
 * transaction.
 *
 * Ends: the server says why in its log, or there is nothing to say.  What ends
 * a session is FATAL, or COMMERROR when the client is cut off; each is seen
 * where it is logged, and what was not logged (log_min_messages) is only known
 * as core counts it.  Under TLS a connection that was just closed looks like
 * one that was reset: both are "lost" there.
 *
 * Nothing here raises or allocates.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xact.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/elog.h"
#include "utils/pidfile.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "registry/backends.h"
#include "server/life.h"

#define PID_FILE "postmaster.pid"
#define PID_FILE_LEN 4096		/* of what is read of it */

static ClientAuthentication_hook_type prev_ClientAuthentication_hook = NULL;
static emit_log_hook_type prev_emit_log_hook = NULL;

static TimestampTz authenticated_at = 0;

/* what was logged of the end of this session */
typedef struct Told
{
	bool		told;
	PgpsEndReason reason;
	int			sqlstate;
	bool		in_xact;
} Told;

static Told fatal;				/* FATAL */
static Told cut_off;			/* COMMERROR, or the same as ERROR */

/*-------------------------------------------------------------------------
 * Made
 *-------------------------------------------------------------------------
 */

static void
note_authentication(Port *port, int status)
{
	if (prev_ClientAuthentication_hook)
		prev_ClientAuthentication_hook(port, status);
	if (status == STATUS_OK)
		authenticated_at = GetCurrentTimestamp();
}

/* It has just been placed. */
void
pgps_session_joined(void)
{
	TimestampTz began = pgps_connection_began();

	/* clocks are set back */
	pgps_session_made(Max(GetCurrentTimestamp() - began, 0),
					  authenticated_at == 0 ? -1 :
					  Max(authenticated_at - began, 0));
}

/*-------------------------------------------------------------------------
 * Ends
 *-------------------------------------------------------------------------
 */

static inline bool
says(const ErrorData *edata, const char *part)
{
	return edata->message_id != NULL && strstr(edata->message_id, part) != NULL;
}

/* Is it about the connection, and did that end by a reset? */
static bool
is_reset(const ErrorData *edata)
{
	return !MyProcPort->ssl_in_use && says(edata, "%m") &&
		(edata->saved_errno == ECONNRESET || edata->saved_errno == ECONNABORTED);
}

/* Why a FATAL ends the session; a shutdown is told apart later. */
static PgpsEndReason
fatal_reason(const ErrorData *edata)
{
	if (says(edata, "due to conflict with recovery"))
		return PGPS_END_RECOVERY_CONFLICT;
	switch (edata->sqlerrcode)
	{
		case ERRCODE_IDLE_SESSION_TIMEOUT:
			return PGPS_END_IDLE_SESSION_TIMEOUT;
		case ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT:
			return PGPS_END_IDLE_IN_XACT_TIMEOUT;
		case ERRCODE_TRANSACTION_TIMEOUT:
			return PGPS_END_XACT_TIMEOUT;
		case ERRCODE_ADMIN_SHUTDOWN:
			return PGPS_END_TERMINATED;
		case ERRCODE_PROTOCOL_VIOLATION:
			return PGPS_END_PROTOCOL_VIOLATION;
		case ERRCODE_CONNECTION_FAILURE:
			return PGPS_END_CONNECTION_LOST;
		default:
			return PGPS_END_ERROR;
	}
}

/* Does what the client sends just end?  Of TLS, OpenSSL 3 says so itself. */
static bool
is_eof(const ErrorData *edata)
{
	return says(edata, "unexpected EOF") || says(edata, "incomplete message") ||
		(says(edata, "SSL error") && edata->message != NULL &&
		 strstr(edata->message, "unexpected eof") != NULL);
}

/* Why the client is cut off, or what it sends makes no sense */
static PgpsEndReason
cut_off_reason(const ErrorData *edata)
{
	if (is_reset(edata))
		return PGPS_END_CONNECTION_RESET;
	if (edata->sqlerrcode == ERRCODE_PROTOCOL_VIOLATION && !is_eof(edata))
		return PGPS_END_PROTOCOL_VIOLATION;
	return PGPS_END_CONNECTION_LOST;
}

static void
take(Told *told, const ErrorData *edata, PgpsEndReason reason)
{
	told->told = true;
	told->reason = reason;
	told->sqlstate = edata->sqlerrcode;
	told->in_xact = IsTransactionOrTransactionBlock();
}

/*
 * The first thing that is said is the closest to the cause.  When a client is
 * cut off, a FATAL about the connection may follow.
 */
static void
note_log(ErrorData *edata)
{
	if (pgps_backend_joined() && !fatal.told)
	{
		if (edata->elevel == FATAL)
		{
			if (cut_off.told &&
				ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_CONNECTION_EXCEPTION)
				fatal = cut_off;
			else
				take(&fatal, edata, fatal_reason(edata));
		}
		else if (!cut_off.told &&
				 (edata->elevel == COMMERROR ||
				  (edata->elevel == ERROR &&
				   edata->sqlerrcode == ERRCODE_CONNECTION_FAILURE &&
				   says(edata, "unexpected EOF on client connection"))))
			take(&cut_off, edata, cut_off_reason(edata));
	}
	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
}

/*
 * Is the server being shut down?  The postmaster writes so before it signals
 * its backends.
 */
static bool
is_shutdown(void)
{
	char		content[PID_FILE_LEN];
	const char *line = content;
	ssize_t		len;
	int			fd = open(PID_FILE, O_RDONLY, 0);
	int			n;

	if (fd < 0)
		return false;
	len = read(fd, content, sizeof(content) - 1);
	close(fd);
	if (len <= 0)
		return false;
	content[len] = '\0';
	for (n = 1; n < LOCK_FILE_LINE_PM_STATUS; n++)
	{
		line = strchr(line, '\n');
		if (line == NULL)
			return false;
		line++;
	}
	return strncmp(line, PM_STATUS_STOPPING, strlen(PM_STATUS_STOPPING)) == 0;
}

/* How it ends by what core counts, as far as nothing was logged */
static PgpsEndReason
quiet_reason(void)
{
	switch (pgStatSessionEndCause)
	{
		case DISCONNECT_CLIENT_EOF:
			return PGPS_END_CONNECTION_LOST;
		case DISCONNECT_FATAL:
			return PGPS_END_ERROR;
		case DISCONNECT_KILLED:
			return PGPS_END_TERMINATED;
		default:
			return PGPS_END_CLIENT_CLOSED;
	}
}

static PgpsEndCause
core_cause(void)
{
	switch (pgStatSessionEndCause)
	{
		case DISCONNECT_CLIENT_EOF:
			return PGPS_CAUSE_ABANDONED;
		case DISCONNECT_FATAL:
			return PGPS_CAUSE_FATAL;
		case DISCONNECT_KILLED:
			return PGPS_CAUSE_KILLED;
		default:
			return PGPS_CAUSE_NORMAL;
	}
}

/*
 * This session ends, before its open transaction is aborted: reason, cause,
 * SQLSTATE and whether it is in a transaction.
 */
void
pgps_session_ends(PgpsSessionEnd *end)
{
	const Told *told = NULL;

	end->cause = core_cause();
	if (fatal.told)
		told = &fatal;
	else if (cut_off.told && end->cause == PGPS_CAUSE_ABANDONED)
		told = &cut_off;
	end->reason = told ? told->reason : quiet_reason();
	end->sqlstate = told ? told->sqlstate : 0;
	end->in_xact = IsTransactionOrTransactionBlock() || (told && told->in_xact);
	if (end->reason == PGPS_END_TERMINATED && is_shutdown())
		end->reason = PGPS_END_SHUTDOWN;
}

/* Called while the server loads its libraries; children inherit it. */
void
pgps_life_install(void)
{
	prev_ClientAuthentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = note_authentication;
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = note_log;
}
