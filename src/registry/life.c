/*-------------------------------------------------------------------------
 *
 * life.c
 *	  How the connections of a pool were made, how long they lived and how
 *	  they ended.
 *
 * An entry lies beside that of its pool, under the same number, and has a
 * spinlock of its own: a backend that exits takes no LWLock.  The caller sees
 * to it that the pool stays, by being attached or by the registry's lock.
 *
 * What counts by instance is in the instance's counters, under its spinlock.
 *
 * A session is lost if its application did not want it to end.  Idle ones that
 * the server ends may be those of an instance that is not there any more: they
 * are held for HELD, and only lost if the instance then has a connection, or
 * has made one.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/entries.h"
#include "registry/life.h"
#include "registry/space.h"

#define HELD (10 * USECS_PER_SEC)

typedef struct Entry
{
	slock_t		mutex;			/* guards data */
	PgpsSessions data;
} Entry;

static Entry *entries = NULL;

static const struct
{
	const char *name;
	int			sqlstate;		/* the usual one; 0 = none */
}			reasons[PGPS_END_REASONS] = {
	[PGPS_END_CLIENT_CLOSED] = {"client_closed", 0},
	[PGPS_END_CONNECTION_LOST] = {"connection_lost", 0},
	[PGPS_END_CONNECTION_RESET] = {"connection_reset", ERRCODE_CONNECTION_FAILURE},
	[PGPS_END_IDLE_SESSION_TIMEOUT] = {"idle_session_timeout", ERRCODE_IDLE_SESSION_TIMEOUT},
	[PGPS_END_IDLE_IN_XACT_TIMEOUT] = {"idle_in_transaction_timeout", ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT},
	[PGPS_END_XACT_TIMEOUT] = {"transaction_timeout", ERRCODE_TRANSACTION_TIMEOUT},
	[PGPS_END_TERMINATED] = {"terminated", ERRCODE_ADMIN_SHUTDOWN},
	[PGPS_END_SHUTDOWN] = {"shutdown", ERRCODE_ADMIN_SHUTDOWN},
	[PGPS_END_RECOVERY_CONFLICT] = {"recovery_conflict", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[PGPS_END_PROTOCOL_VIOLATION] = {"protocol_violation", ERRCODE_PROTOCOL_VIOLATION},
	[PGPS_END_ERROR] = {"error", 0},
	[PGPS_END_CRASH] = {"crash", 0}
};

const char *
pgps_end_reason_name(PgpsEndReason reason)
{
	return reasons[reason].name;
}

Size
pgps_sessions_size(void)
{
	return mul_size(pgps_pool_capacity(), sizeof(Entry));
}

void
pgps_sessions_init(void *area, bool found)
{
	entries = area;
}

/* A pool is made; "fresh" is an entry that was never used. */
void
pgps_sessions_start(int32 pool, bool fresh)
{
	if (fresh)
		SpinLockInit(&entries[pool].mutex);
	else
		pgps_sessions_reset(pool);
}

void
pgps_sessions_reset(int32 pool)
{
	SpinLockAcquire(&entries[pool].mutex);
	memset(&entries[pool].data, 0, sizeof(PgpsSessions));
	SpinLockRelease(&entries[pool].mutex);
}

/*-------------------------------------------------------------------------
 * Arithmetic, under the spinlock of the caller
 *-------------------------------------------------------------------------
 */

static void
count_bucket(uint32 *bucket, uint32 by)
{
	*bucket += Min(by, PG_UINT32_MAX - *bucket);
}

/* Count a value that is unknown if negative. */
static void
count_value(uint32 *histogram, int64 value)
{
	if (value >= 0)
		count_bucket(&histogram[pgps_xact_bucket(value)], 1);
}

static void
count_time(PgpsTook *took, int64 time)
{
	count_value(took->count, time);
	took->total = pgps_add_saturated(took->total, Max(time, 0));
}

static void
add_histogram(uint32 *sum, const uint32 *more)
{
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		count_bucket(&sum[i], more[i]);
}

static void
add_times(PgpsTook *sum, const PgpsTook *more)
{
	add_histogram(sum->count, more->count);
	sum->total = pgps_add_saturated(sum->total, more->total);
}

/* The place of ends that are alike; without their SQLSTATE if there is none. */
static PgpsEnds *
need_ends(PgpsSessions *data, PgpsEndReason reason, int sqlstate, bool in_xact)
{
	PgpsEnds   *ends = &data->ends[2 * reason + in_xact];
	int			i;

	for (i = PGPS_USUAL_ENDS;
		 sqlstate != reasons[reason].sqlstate && i < PGPS_ENDS; i++)
	{
		PgpsEnds   *other = &data->ends[i];

		if (other->count == 0 ||
			(other->reason == reason && other->sqlstate == sqlstate &&
			 other->in_xact == in_xact))
		{
			ends = other;
			break;
		}
	}
	if (ends->count == 0)
		ends->sqlstate = sqlstate;
	else if (ends->sqlstate != sqlstate)
		ends->sqlstate = 0;
	ends->reason = reason;
	ends->in_xact = in_xact;
	return ends;
}

static void
add_ends(PgpsSessions *data, const PgpsEnds *more)
{
	PgpsEnds   *ends = need_ends(data, more->reason, more->sqlstate,
								 more->in_xact);

	ends->count = pgps_add_saturated(ends->count, more->count);
	if (more->last_at >= ends->last_at)
	{
		ends->last_at = more->last_at;
		ends->last_pid = more->last_pid;
	}
}

/*-------------------------------------------------------------------------
 * A session
 *-------------------------------------------------------------------------
 */

/* Did the client end it, for whatever reason? */
static bool
is_by_client(PgpsEndReason reason)
{
	return reason == PGPS_END_CLIENT_CLOSED ||
		reason == PGPS_END_CONNECTION_LOST ||
		reason == PGPS_END_CONNECTION_RESET;
}

/*
 * Was it lost, if it was in a transaction?  An application expects conflicts on
 * a standby, and what fails with an error of its own tells itself.
 */
static bool
may_be_lost(PgpsEndReason reason)
{
	switch (reason)
	{
		case PGPS_END_CLIENT_CLOSED:
		case PGPS_END_SHUTDOWN:
		case PGPS_END_RECOVERY_CONFLICT:
		case PGPS_END_ERROR:
			return false;
		default:
			return true;
	}
}

/*
 * Decide about the connections of an instance that are held: lost if it lives
 * on.  The caller sees to it that the instance stays.
 */
static void
settle(int32 i, bool lives)
{
	PgpsInstance *data = &pgps_instance(i)->data;
	Entry	   *pool = &entries[data->pool];
	PgpsEndReason reason;
	int32		lost;

	SpinLockAcquire(&pgps_instance(i)->mutex);
	lost = data->held;
	reason = data->held_for;
	data->held = 0;
	SpinLockRelease(&pgps_instance(i)->mutex);
	if (lost == 0 || !lives)
		return;
	SpinLockAcquire(&pool->mutex);
	pool->data.lost[reason] += lost;
	SpinLockRelease(&pool->mutex);
}

/*
 * This session was made: it belongs to an instance, which so lives on, or to
 * none.
 */
void
pgps_session_made(int64 connect_time, int64 auth_time)
{
	int32		i = pgps_backend_instance();
	Entry	   *entry;

	if (i == PGPS_NO_INSTANCE)
		return;
	entry = &entries[pgps_instance(i)->data.pool];
	SpinLockAcquire(&entry->mutex);
	count_time(&entry->data.connect, connect_time);
	count_time(&entry->data.auth, auth_time);
	SpinLockRelease(&entry->mutex);
	if (pgps_instance(i)->data.held > 0)
		settle(i, true);
}

/* A session of a pool has ended. */
void
pgps_sessions_end(int32 pool, const PgpsSessionEnd *end)
{
	PgpsSessions *data = &entries[pool].data;
	PgpsEnds	ends = {
		.count = 1,
		.last_at = GetCurrentTimestamp(),
		.last_pid = MyProcPid,
		.sqlstate = end->sqlstate,
		.reason = end->reason,
		.in_xact = end->in_xact
	};

	SpinLockAcquire(&entries[pool].mutex);
	count_value(data->age, end->lasted / 1000);
	data->max_age = Max(data->max_age, end->lasted);
	if (!end->only_reported)
	{
		data->work_sessions++;
		data->work_xacts += end->xacts;
	}
	add_ends(data, &ends);
	if (end->in_xact && may_be_lost(end->reason))
		data->lost[end->reason]++;
	SpinLockRelease(&entries[pool].mutex);
}

/*
 * A session of an instance has ended.  Caller holds the instance's spinlock.
 */
void
pgps_count_end(PgpsInstance *data, const PgpsSessionEnd *end, TimestampTz now)
{
	static const int cause_counter[] = {
		[PGPS_CAUSE_ABANDONED] = PGPS_SESSIONS_ABANDONED,
		[PGPS_CAUSE_FATAL] = PGPS_SESSIONS_FATAL,
		[PGPS_CAUSE_KILLED] = PGPS_SESSIONS_KILLED
	};
	PgpsCounters *counters = &data->counters;

	pgps_raise_count(counters, PGPS_DISCONNECTS, 1);
	if (end->only_reported)
		pgps_raise_count(counters, PGPS_REPORT_SESSIONS, 1);
	if (end->cause != PGPS_CAUSE_NORMAL)
		pgps_raise_count(counters, cause_counter[end->cause], 1);
	if (is_by_client(end->reason) && !end->only_reported)
	{
		pgps_raise_count(counters, PGPS_WORK_SESSIONS, 1);
		pgps_raise_count(counters, PGPS_SESSION_TIME, end->lasted);
		pgps_raise_count(counters, PGPS_SESSION_XACTS, end->xacts);
	}

	if (!end->in_xact && may_be_lost(end->reason) && !is_by_client(end->reason))
	{
		if (data->held == 0)
		{
			data->held_since = now;
			data->held_for = end->reason;
		}
		data->held++;
	}
}

/*
 * The collector looks whether instances outlived the connections that are
 * held.  Which ones might have some is found without a lock.
 */
void
pgps_sessions_settle(TimestampTz now)
{
	int32		i;

	for (i = 0; i < pgps_registry->instances.high_water; i++)
	{
		PgpsInstanceEntry *entry = pgps_instance(i);

		if (entry->data.held == 0 || entry->data.held_since + HELD > now)
			continue;
		pgps_lock_registry(LW_SHARED);
		if (pgps_instance_used(i))
			settle(i, pgps_attached(entry) > 0);
		else
			entry->data.held = 0;
		pgps_unlock_registry();
	}
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

/* Of a pool that was copied; zeros if it is gone */
void
pgps_sessions_copy(PgpsSessions *to, const PgpsPoolCopy *of)
{
	const PgpsPoolEntry *pool = &pgps_pools[of->index];

	pgps_lock_registry(LW_SHARED);
	if (pool->used && pool->data.first_seen == of->data.first_seen)
	{
		SpinLockAcquire(&entries[of->index].mutex);
		*to = entries[of->index].data;
		SpinLockRelease(&entries[of->index].mutex);
	}
	else
		memset(to, 0, sizeof(PgpsSessions));
	pgps_unlock_registry();
}

static int64
count_ends(const PgpsSessions *data)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < PGPS_ENDS; i++)
		sum += data->ends[i].count;
	return sum;
}

/*
 * Of all pools that were copied, to be saved.  Their counters were copied before:
 * they do not have who ended since.
 */
PgpsSessionsCopy *
pgps_sessions_copy_all(const PgpsCopy *copy)
{
	PgpsSessionsCopy *all = palloc0(Max(copy->npools, 1) *
									sizeof(PgpsSessionsCopy));
	int32	   *connections = palloc0(copy->max_pool * sizeof(int32));
	int64	   *ended = palloc0(copy->max_pool * sizeof(int64));
	int			i;

	/* not of the backends: they are copied later, and more may have come */
	for (i = 0; i < copy->ninstances; i++)
	{
		const PgpsInstance *data = &copy->instances[i].data;

		connections[data->pool] += data->here;
		ended[data->pool] += pgps_count(&data->counters, PGPS_DISCONNECTS, 0);
	}
	for (i = 0; i < copy->npools; i++)
	{
		const PgpsPoolCopy *pool = &copy->pools[i];

		all[i].pool = pool->index;
		all[i].connections = connections[pool->index];
		pgps_sessions_copy(&all[i].data, pool);
		all[i].ended_since = Max(count_ends(&all[i].data) - ended[pool->index] -
								 pgps_count(&pool->data.retired, PGPS_DISCONNECTS, 0), 0);
	}
	pfree(connections);
	pfree(ended);
	return all;
}

/*
 * Go on from what was saved.  A crash has ended the connections that there
 * were then: about those that there were when it happened.  Of those that
 * ended while all was copied, the counters have yet to learn; if that were more
 * than were there, others had come.  Nobody else is there yet.
 */
void
pgps_sessions_restore(int32 pool, const PgpsSessionsCopy *saved, bool crashed)
{
	PgpsSessions *data = &entries[pool].data;
	const PgpsSessions *more = &saved->data;
	PgpsCounters *counters = &pgps_pools[pool].data.retired;
	int64		came_since = Max(saved->ended_since - saved->connections, 0);
	PgpsEnds	ends = {
		.count = Max(saved->connections - saved->ended_since, 0),
		.last_at = GetCurrentTimestamp(),
		.reason = PGPS_END_CRASH
	};
	int			i;

	add_times(&data->connect, &more->connect);
	add_times(&data->auth, &more->auth);
	add_times(&data->connect_base, crashed ? &more->connect : &more->connect_base);
	add_times(&data->auth_base, crashed ? &more->auth : &more->auth_base);
	add_histogram(data->age, more->age);
	data->max_age = Max(data->max_age, more->max_age);
	data->work_sessions += more->work_sessions;
	data->work_xacts += more->work_xacts;
	for (i = 0; i < PGPS_ENDS; i++)
	{
		if (more->ends[i].count == 0)
			continue;
		add_ends(data, &more->ends[i]);
		if (crashed)
			data->base[more->ends[i].reason] += more->ends[i].count;
	}
	for (i = 0; i < PGPS_END_REASONS; i++)
	{
		data->lost[i] += more->lost[i];
		if (!crashed)
			data->base[i] += more->base[i];
	}
	if (!crashed)
		return;
	pgps_raise_count(counters, PGPS_CONNECTS, came_since);
	pgps_raise_count(counters, PGPS_DISCONNECTS, saved->connections + came_since);
	if (ends.count > 0)
	{
		add_ends(data, &ends);
		data->crashed += ends.count;
		data->lost[PGPS_END_CRASH] += ends.count;
	}
}

/* As pgps_percentile(); -1 if nothing was counted */
double
pgps_sessions_percentile(const uint32 *histogram, double fraction)
{
	PgpsHistogram wide;
	int			i;

	for (i = 0; i < PGPS_XACT_BUCKETS; i++)
		wide.count[i] = histogram[i];
	return pgps_percentile(&wide, fraction);
}
