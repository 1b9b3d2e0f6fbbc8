/*-------------------------------------------------------------------------
 *
 * link.c
 *	  The connection to one pooler's console: connecting, asking, listening.
 *
 * A state machine on libpq's asynchronous functions: nothing here waits.
 * What the other end sends is bounded in time, bytes, rows (answer.c) and
 * memory; when a bound is hit, or anything comes that does not belong, the
 * connection is closed and the poll has failed.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/ioctl.h>

#include "access/xact.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/settings.h"
#include "poller/link.h"
#include "poller/target.h"
#include "poolers/poolers.h"

#define MAX_BYTES ((Size) 4 * 1024 * 1024)	/* received in one poll */
#define MAX_GROWTH ((Size) 4 * 1024 * 1024) /* of libpq's memory in one poll */

#define SHOW_TEXT(name) "SHOW " #name,
static const char *const show_text[] = {PGPS_SHOW_LIST(SHOW_TEXT)};

/*-------------------------------------------------------------------------
 * Opening and closing
 *-------------------------------------------------------------------------
 */

Link *
link_make(struct Target *target, const Place *place)
{
	Link	   *link = MemoryContextAllocZero(TopMemoryContext, sizeof(Link));

	link->target = target;
	link->place = *place;
	link->number = PGPS_NO_POOLER;
	link->context = AllocSetContextCreate(TopMemoryContext, "pgpool_stats poll",
										  ALLOCSET_DEFAULT_SIZES);
	return link;
}

static void
disconnect(Link *link)
{
	if (link->conn != NULL)
	{
		PQfinish(link->conn);
		ReleaseExternalFD();
	}
	link->conn = NULL;
	link->state = LINK_CLOSED;
	link->changed = true;
}

void
link_free(Link *link)
{
	disconnect(link);
	if (link->number != PGPS_NO_POOLER)
		pgps_pooler_forget(link->number);
	MemoryContextDelete(link->context);
	pfree(link);
}

/*
 * Show the pooler under another name, of an entry of the setting.  False if
 * there is no room.
 */
bool
link_show(Link *link, const char *name, const char *listed)
{
	if (link->number != PGPS_NO_POOLER)
		pgps_pooler_forget(link->number);
	strlcpy(link->name, name, sizeof(link->name));
	link->number = pgps_pooler_number(name, listed);
	return link->number != PGPS_NO_POOLER;
}

/* From now on it leads elsewhere, or nowhere. */
void
link_move(Link *link, const Place *place, const char *obstacle)
{
	disconnect(link);
	MemoryContextReset(link->context);
	link->place = *place;
	link->obstacle = obstacle;
	link->process = 0;
	link->astray_since = 0;
	link->due = GetCurrentTimestamp();
}

/* Does it reach a socket of the file system? */
bool
link_is_local(const Link *link)
{
	return link->conn != NULL && PQhostaddr(link->conn)[0] == '\0';
}

/* The poll has failed; the next one begins with a new connection. */
void
link_fail(Link *link, const char *error)
{
	char		line[PGPS_ERROR_LEN];
	int			n = 0;

	/* libpq's messages may have several lines */
	for (; *error != '\0' && n < sizeof(line) - 1; error++)
	{
		bool		blank = strchr(" \n\t\r", *error) != NULL;

		if (!blank || (n > 0 && line[n - 1] != ' '))
			line[n++] = blank ? ' ' : *error;
	}
	line[n] = '\0';
	if (n > 0 && line[n - 1] == ' ')
		line[n - 1] = '\0';
	/* what it has may be all the memory that there is */
	disconnect(link);
	MemoryContextReset(link->context);
	pgps_clean_text(line, sizeof(line), pstrdup(line));
	if (link->number != PGPS_NO_POOLER)
		pgps_pooler_failed(link->number, line);
}

static void
set_events(Link *link, uint32 events)
{
	link->changed |= link->events != events;
	link->events = events;
}

/* Notices do not matter. */
static void
ignore_notice(void *arg, const PGresult *result)
{
}

static void
connect_start(Link *link)
{
	/* the later ones win; empty ones say nothing */
	const char *const keywords[] = {
		"gssencmode", "fallback_application_name", "dbname", "hostaddr",
		"port", NULL
	};
	const char *const values[] = {
		"disable", "pgpool_stats poller", link->target->conninfo,
		link->place.address, link->place.port, NULL
	};

	if (link->obstacle != NULL)
	{
		link_fail(link, link->obstacle);
		return;
	}
	if (!AcquireExternalFD())
	{
		link_fail(link, "too many open files: raise max_files_per_process");
		return;
	}
	link->conn = PQconnectStartParams(keywords, values, 1);
	if (link->conn == NULL)
	{
		ReleaseExternalFD();
		link_fail(link, "out of memory");
		return;
	}
	if (PQstatus(link->conn) == CONNECTION_BAD)
	{
		link_fail(link, PQerrorMessage(link->conn));
		return;
	}
	PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
	link->state = LINK_CONNECTING;
	link->is_new = true;
	link->changed = true;
	set_events(link, WL_SOCKET_WRITEABLE);
}

/*-------------------------------------------------------------------------
 * Asking
 *-------------------------------------------------------------------------
 */

static void
flush_out(Link *link)
{
	int			left = PQflush(link->conn);

	if (left < 0)
		link_fail(link, PQerrorMessage(link->conn));
	else
		set_events(link, left > 0 ? WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE :
				   WL_SOCKET_READABLE);
}

static void
ask(Link *link, PgpsShow show)
{
	link->state = LINK_ASKING;
	link->show = show;
	link->table = NULL;
	if (!PQsendQuery(link->conn, show_text[show]) ||
		!PQsetSingleRowMode(link->conn))
		link_fail(link, PQerrorMessage(link->conn));
	else
		flush_out(link);
}

static void
forget_answers(Link *link, TimestampTz started_at)
{
	MemoryContextReset(link->context);
	memset(&link->console, 0, sizeof(link->console));
	link->console.number = link->number;
	link->console.name = link->name;
	link->console.started_at = started_at;
}

/* Begin a poll. */
void
link_poll(Link *link, TimestampTz now)
{
	forget_answers(link, now);
	if (!link->scouts)
		link->tries = LINK_TRIES;
	link->deadline = TimestampTzPlusMilliseconds(now, pgps_poll_timeout);
	link->received = link->grown = 0;
	link->refusal[0] = '\0';
	if (link->state == LINK_IDLE)
		ask(link, link->first_show);
	else
		connect_start(link);
}

/*-------------------------------------------------------------------------
 * Listening
 *-------------------------------------------------------------------------
 */

/*
 * The new connection has reached a process that it is not for: try again,
 * perhaps the next one does not.
 */
static void
connect_again(Link *link)
{
	if (link->tries > 0)
	{
		disconnect(link);
		forget_answers(link, link->console.started_at);
		connect_start(link);
		return;
	}
	if (link->astray_since == 0)
		link->astray_since = link->console.started_at;
	link_fail(link, "its process was not reached: others answer at its port");
}

/* All is answered: hand the answers over. */
static void
finish(Link *link)
{
	MemoryContext old = MemoryContextSwitchTo(link->context);
	ErrorData  *volatile error = NULL;
	volatile bool taken = false;

	link->astray_since = 0;
	if (!target_is_scouted(link))
	{
		link_fail(link, "other processes are looked for at its port");
		return;
	}
	link->console.is_one_of_several = target_is_alone(link);
	link->console.database = PQdb(link->conn);
	link->console.address = PQhostaddr(link->conn);
	PG_TRY();
	{
		taken = pgps_console_take(&link->console);
	}
	PG_CATCH();
	{
		/* if it is for want of memory, its copy needs what there is */
		AbortCurrentTransaction();
		MemoryContextSwitchTo(link->context);
		MemoryContextReset(link->context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(link->context);

	if (error != NULL)
		link_fail(link, error->message);
	else if (!taken)
		link_fail(link, link->refusal[0] != '\0' ?
				  psprintf("its answer is no pooler's (%s): the database must be that of its console, such as \"pgbouncer\"",
						   link->refusal) :
				  "its answer is no pooler's");
	else
	{
		link->first_show = link->console.tables[PGPS_SHOW_VERSION] != NULL ?
			PGPS_SHOW_VERSION : PGPS_SHOW_POOL_VERSION;
		link->state = LINK_IDLE;
		set_events(link, WL_SOCKET_READABLE);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(link->context);
}

/* Look at one result.  One that is no answer to a SHOW ends the connection. */
static void
take_answer(Link *link, PGresult *result)
{
	const char *wrong;

	switch (PQresultStatus(result))
	{
		case PGRES_SINGLE_TUPLE:
		case PGRES_TUPLES_OK:
			wrong = answer_take(link, result);
			if (wrong != NULL)
				link_fail(link, wrong);
			break;
		case PGRES_FATAL_ERROR:

			/*
			 * not every product knows every command, nor may every user send
			 * it
			 */
			if (PQstatus(link->conn) != CONNECTION_OK)
				link_fail(link, PQerrorMessage(link->conn));
			else if (link->refusal[0] == '\0')
				strlcpy(link->refusal,
						PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) ?
						PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : "error",
						sizeof(link->refusal));
			link->table = NULL;
			break;
		case PGRES_COMMAND_OK:
		case PGRES_EMPTY_QUERY:
			break;
		default:
			link_fail(link, "its answer is none to a SHOW command");
			break;
	}
}

/* The answer to one SHOW has ended. */
static void
answered(Link *link)
{
	PgpsShow	next;

	link->console.tables[link->show] = link->table;
	if (link->show == PGPS_SHOW_CONFIG && link->is_new)
	{
		link->is_new = false;
		link->tries--;
		if (!target_accepts(link, pgps_console_process(&link->console)))
		{
			connect_again(link);
			return;
		}
	}
	next = shows_next(link);
	if (link->show == PGPS_SHOW_POOLS && link->table == NULL)
		link_fail(link, psprintf("it does not answer SHOW POOLS (%s): is the user in admin_users or stats_users?",
								 link->refusal));
	else if (next != PGPS_SHOWS)
		ask(link, next);
	else
		finish(link);
}

static void
hear(Link *link)
{
	int			waiting = 0;

	if (ioctl(PQsocket(link->conn), FIONREAD, &waiting) == 0)
		link->received += waiting;
	if (PQconsumeInput(link->conn) == 0)
	{
		link_fail(link, PQerrorMessage(link->conn));
		return;
	}

	while (!PQisBusy(link->conn))
	{
		PGresult   *result = PQgetResult(link->conn);

		if (link->state == LINK_IDLE)
		{
			/* a result that nobody asked for */
			PQclear(result);
			if (result != NULL || PQstatus(link->conn) != CONNECTION_OK)
				link_fail(link, "it closed the connection");
			return;
		}
		if (result == NULL)
			answered(link);
		else
			take_answer(link, result);
		PQclear(result);
		if (link->state != LINK_ASKING)
			return;
	}
}

/* One step of connecting */
static void
connect_on(Link *link)
{
	PostgresPollingStatusType status = PQconnectPoll(link->conn);

	/* libpq may have made another socket with the same number */
	link->changed = true;
	switch (status)
	{
		case PGRES_POLLING_READING:
			set_events(link, WL_SOCKET_READABLE);
			break;
		case PGRES_POLLING_WRITING:
			set_events(link, WL_SOCKET_WRITEABLE);
			break;
		case PGRES_POLLING_OK:
			(void) PQsetnonblocking(link->conn, 1);
			ask(link, link->first_show);
			break;
		default:
			link_fail(link, PQerrorMessage(link->conn));
			break;
	}
}

/* The socket is ready for what we waited for. */
void
link_advance(Link *link)
{
	Size		before = guard_memory();
	Size		after;

	if (link->state == LINK_CONNECTING)
		connect_on(link);
	else
	{
		if (link->events & WL_SOCKET_WRITEABLE)
			flush_out(link);
		if (link->conn != NULL)
			hear(link);
	}

	after = guard_memory();
	link->grown += after > before ? after - before : 0;
	if (link->conn != NULL &&
		(link->received > MAX_BYTES || link->grown > MAX_GROWTH))
		link_fail(link, "its answer is too large");
}
