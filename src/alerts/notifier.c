/*-------------------------------------------------------------------------
 *
 * notifier.c
 *	  Sending alerts by NOTIFY.
 *
 * NOTIFY needs a session in a database, and a session in a database keeps it
 * from being dropped.  So there is a queue in shared memory (guarded by
 * PGPS_ALERTS_LOCK), and when something is in it the collector starts a worker
 * that sends it and ends.  If that fails, the worker's error is in the log,
 * and after a while another one tries.
 *
 * There are as many places as for alerts, with the same shares; when they are
 * too few, a role's oldest events are lost, here and not in the log, and
 * counted.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/backend_status.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/overrides.h"
#include "alerts/rules.h"
#include "alerts/shares.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "base/text.h"

#define NOTIFIER_NAME "pgpool_stats notifier"
#define CHANNEL "pgpool_stats"
#define QUEUE_LENGTH pgps_max_alerts
#define RETRY_AFTER (30 * USECS_PER_SEC)

/* what is to be sent */
typedef struct Event
{
	uint64		number;
	bool		cleared;		/* else raised */
	TimestampTz at;
	PgpsAlert	alert;
} Event;

typedef struct Queue
{
	uint64		next;			/* number of the next one */
	uint64		lost;			/* for want of room */
	int			count;
	Event		events[FLEXIBLE_ARRAY_MEMBER];	/* oldest first */
} Queue;

static Queue *queue = NULL;

Size
pgps_notifier_size(void)
{
	return add_size(offsetof(Queue, events),
					mul_size(QUEUE_LENGTH, sizeof(Event)));
}

void
pgps_notifier_init(void *area, bool found)
{
	queue = area;
}

/* How many were not sent for want of room */
uint64
pgps_events_lost(void)
{
	uint64		lost;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	lost = queue->lost;
	pgps_release(PGPS_ALERTS_LOCK);
	return lost;
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

/*
 * Which stay of what is in the queue, followed by new events?  Room for the
 * answer and for working it out is the caller's: the lock is held.
 */
static void
choose_events(bool *stays, PgpsClaim *claims, const List *events)
{
	int			n = queue->count + list_length(events);
	int			i;

	for (i = 0; i < n; i++)
	{
		const PgpsAlert *alert = i < queue->count ? &queue->events[i].alert :
			((const PgpsEvent *) list_nth(events, i - queue->count))->alert;

		claims[i].role = alert->subject.roleid;
		claims[i].item = i;
		claims[i].order = n - i;
	}
	pgps_share_out(claims, n, QUEUE_LENGTH / 4);
	for (i = 0; i < n; i++)
		stays[claims[i].item] = i < QUEUE_LENGTH;
}

/* Add events (PgpsEvent) to the queue; only the worker removes others. */
static void
queue_events(const List *events, TimestampTz now)
{
	int			most = QUEUE_LENGTH + list_length(events);
	bool	   *stays = palloc(most * sizeof(bool));
	PgpsClaim  *claims = palloc_extended(most * sizeof(PgpsClaim),
										 MCXT_ALLOC_HUGE);
	const ListCell *lc;
	int			queued,
				i;

	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	choose_events(stays, claims, events);
	queued = queue->count;
	queue->count = 0;
	for (i = 0; i < queued; i++)
	{
		if (stays[i])
			queue->events[queue->count++] = queue->events[i];
	}
	foreach(lc, events)
	{
		const PgpsEvent *event = lfirst(lc);
		Event	   *place;

		if (!stays[i++])
			continue;
		place = &queue->events[queue->count++];
		place->number = queue->next++;
		place->cleared = event->cleared;
		place->at = now;
		place->alert = *event->alert;
	}
	queue->lost += queued + list_length(events) - queue->count;
	pgps_release(PGPS_ALERTS_LOCK);
	pfree(claims);
	pfree(stays);
}

/* Start a worker if there is something to send and none is at it. */
static void
start_worker(TimestampTz now)
{
	static BackgroundWorkerHandle *running = NULL;
	static TimestampTz started_at = 0;
	static uint64 started_for = 0;
	static bool no_worker = false;	/* as was said in the log */
	BackgroundWorker worker = {
		.bgw_name = NOTIFIER_NAME,
		.bgw_type = NOTIFIER_NAME,
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "pgpool_stats",
		.bgw_function_name = "pgps_notifier_main",
	};
	MemoryContext old;
	bool		registered;
	pid_t		pid;

	/* nobody else adds to the queue */
	if (queue->count == 0)
		return;
	if (running != NULL)
	{
		if (GetBackgroundWorkerPid(running, &pid) != BGWH_STOPPED)
			return;
		pfree(running);
		running = NULL;
		if (queue->events[0].number < started_for &&
			pgps_elapsed(started_at, now) < RETRY_AFTER)
			return;				/* it failed */
	}

	started_at = now;
	started_for = queue->next;
	worker.bgw_notify_pid = MyProcPid;

	/* the handle outlives the pass */
	old = MemoryContextSwitchTo(TopMemoryContext);
	registered = RegisterDynamicBackgroundWorker(&worker, &running);
	MemoryContextSwitchTo(old);
	if (!registered)
	{
		running = NULL;
		if (no_worker)
			return;
		no_worker = true;
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("pgpool_stats cannot start a worker to send alerts"),
				 errhint("Raise max_worker_processes.")));
		return;
	}
	no_worker = false;
}

/* Have events (PgpsEvent) sent, and those that were not yet, if any are. */
void
pgps_send_events(const List *events, TimestampTz now)
{
	if (pgps_notify_database[0] == '\0' || RecoveryInProgress())
		return;
	if (events != NIL)
		queue_events(events, now);
	start_worker(now);
}

/*-------------------------------------------------------------------------
 * In the worker
 *-------------------------------------------------------------------------
 */

/* Names are as they are, if the database's encoding has them. */
static void
append_member(StringInfo json, const char *key, const char *value)
{
	char		clean[PGPS_MESSAGE_LEN];

	appendStringInfo(json, ", \"%s\": ", key);
	if (!pg_verifymbstr(value, strlen(value), true))
	{
		pgps_clean_text(clean, sizeof(clean), value);
		value = clean;
	}
	if (value[0] == '\0')
		appendStringInfoString(json, "null");
	else
		escape_json(json, value);
}

static void
append_time(StringInfo json, const char *key, TimestampTz time)
{
	char		buf[MAXDATELEN + 1];

	JsonEncodeDateTime(buf, TimestampTzGetDatum(time), TIMESTAMPTZOID, NULL);
	append_member(json, key, buf);
}

/* Far below the 8000 bytes that NOTIFY takes */
static char *
event_json(const Event *event)
{
	const PgpsAlert *alert = &event->alert;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"event\": \"%s\"",
					 event->cleared ? "cleared" : "raised");
	append_time(&json, "at", event->at);
	append_member(&json, "severity", pgps_severity_name(alert->severity));
	append_member(&json, "rule", pgps_rules[alert->rule]->name);
	append_member(&json, "pool", alert->subject.pool);
	append_member(&json, "datname", NameStr(alert->subject.datname));
	append_member(&json, "usename", NameStr(alert->subject.usename));
	append_member(&json, "instance", alert->instance);
	append_time(&json, "since", alert->since);
	append_member(&json, "message",
				  pgps_sentence(alert->message, &alert->cause, event->at,
								pgps_sees_nobody));
	if (pgps_cause_name(alert->cause.kind) != NULL)
		append_member(&json, "cause", pgps_cause_name(alert->cause.kind));
	if (!event->cleared)
		appendStringInfo(&json, ", \"value\": %g, \"threshold\": %g",
						 alert->value, alert->threshold);
	append_member(&json, "unit", pgps_rules[alert->rule]->unit);
	appendStringInfoChar(&json, '}');
	return json.data;
}

void
pgps_notifier_main(Datum arg)
{
	Event	   *events;
	uint64		next;
	int			kept = 0;
	int			n;
	int			i;

	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(pgps_notify_database, NULL, 0);
	pgstat_report_appname(NOTIFIER_NAME);

	/* touched before the lock is taken */
	events = palloc_extended(QUEUE_LENGTH * sizeof(Event),
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	n = queue->count;
	next = queue->next;
	memcpy(events, queue->events, n * sizeof(Event));
	pgps_release(PGPS_ALERTS_LOCK);

	StartTransactionCommand();
	for (i = 0; i < n; i++)
		Async_Notify(CHANNEL, event_json(&events[i]));
	CommitTransactionCommand();

	/* some may have been added or pushed out meanwhile */
	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < queue->count; i++)
	{
		if (queue->events[i].number >= next)
			queue->events[kept++] = queue->events[i];
	}
	queue->count = kept;
	pgps_release(PGPS_ALERTS_LOCK);
	proc_exit(0);
}
