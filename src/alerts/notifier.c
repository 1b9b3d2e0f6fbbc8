/*-------------------------------------------------------------------------
 *
 * notifier.c
 *	  Sending alerts by NOTIFY.
 *
 * NOTIFY needs a session in a database, and a session in a database keeps it
 * from being dropped.  So there is a queue in shared memory (guarded by
 * PGPS_ALERTS_LOCK), and when something is in it the collector starts a worker
 * that sends it and ends.  If that fails, the worker's error is in the log,
 * and after a while another one tries.  What does not fit into the queue is
 * lost here, not in the log.
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
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "alerts/notifier.h"
#include "base/settings.h"
#include "base/shmem.h"

#define NOTIFIER_NAME "pgpool_stats notifier"
#define CHANNEL "pgpool_stats"
#define QUEUE_LENGTH 128
#define RETRY_AFTER (30 * USECS_PER_SEC)

/* what is to be sent */
typedef struct Event
{
	bool		cleared;		/* else raised */
	TimestampTz at;
	PgpsAlert	alert;
} Event;

typedef struct Queue
{
	uint64		first;			/* number of the oldest event */
	uint64		next;			/* number of the next one */
	Event	events[QUEUE_LENGTH];
} Queue;

static Queue *queue = NULL;

Size
pgps_notifier_size(void)
{
	return sizeof(Queue);
}

void
pgps_notifier_init(void *area, bool found)
{
	queue = area;
}

/*-------------------------------------------------------------------------
 * In the collector
 *-------------------------------------------------------------------------
 */

/* Have an event sent, if events are. */
void
pgps_queue_event(const PgpsAlert *alert, bool cleared, TimestampTz now)
{
	Event  *event;

	if (pgps_notify_database[0] == '\0' || RecoveryInProgress())
		return;
	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	if (queue->next - queue->first == QUEUE_LENGTH)
		queue->first++;
	event = &queue->events[queue->next++ % QUEUE_LENGTH];
	event->cleared = cleared;
	event->at = now;
	event->alert = *alert;
	pgps_release(PGPS_ALERTS_LOCK);
}

/* Start a worker if there is something to send and none is at it. */
void
pgps_send_events(TimestampTz now)
{
	static BackgroundWorkerHandle *running = NULL;
	static TimestampTz started_at = 0;
	static uint64 started_for = 0;
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
	if (queue->first == queue->next || pgps_notify_database[0] == '\0' ||
		RecoveryInProgress())
		return;
	if (running != NULL)
	{
		if (GetBackgroundWorkerPid(running, &pid) != BGWH_STOPPED)
			return;
		pfree(running);
		running = NULL;
		if (queue->first < started_for && now - started_at < RETRY_AFTER)
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
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("pgpool_stats cannot start a worker to send alerts"),
				 errhint("Raise max_worker_processes.")));
	}
}

/*-------------------------------------------------------------------------
 * In the worker
 *-------------------------------------------------------------------------
 */

static void
append_member(StringInfo json, const char *key, const char *value)
{
	char		clean[PGPS_MESSAGE_LEN];

	appendStringInfo(json, ", \"%s\": ", key);
	pgps_clean_text(clean, sizeof(clean), value);
	if (clean[0] == '\0')
		appendStringInfoString(json, "null");
	else
		escape_json(json, clean);
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
	append_member(&json, "message", alert->message);
	appendStringInfo(&json, ", \"value\": %g, \"threshold\": %g",
					 alert->value, alert->threshold);
	append_member(&json, "unit", pgps_rules[alert->rule]->unit);
	appendStringInfoChar(&json, '}');
	return json.data;
}

void
pgps_notifier_main(Datum arg)
{
	Event  *events;
	uint64		next;
	int			n = 0;
	int			i;

	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(pgps_notify_database, NULL, 0);
	pgstat_report_appname(NOTIFIER_NAME);

	events = palloc(QUEUE_LENGTH * sizeof(Event));
	pgps_acquire(PGPS_ALERTS_LOCK, LW_SHARED);
	for (next = queue->first; next < queue->next; next++)
		events[n++] = queue->events[next % QUEUE_LENGTH];
	pgps_release(PGPS_ALERTS_LOCK);

	StartTransactionCommand();
	for (i = 0; i < n; i++)
		Async_Notify(CHANNEL, event_json(&events[i]));
	CommitTransactionCommand();

	/* some may have been pushed out meanwhile */
	pgps_acquire(PGPS_ALERTS_LOCK, LW_EXCLUSIVE);
	queue->first = Max(queue->first, next);
	pgps_release(PGPS_ALERTS_LOCK);
	proc_exit(0);
}
