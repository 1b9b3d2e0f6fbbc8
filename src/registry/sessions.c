/*-------------------------------------------------------------------------
 *
 * sessions.c
 *	  Which instance this session is at.
 *
 * To join, a session takes the registry's LWLock exclusively, for a time that
 * does not depend on how much is in it.  To leave it takes none.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "registry/activity.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/entries.h"
#include "registry/histogram.h"
#include "registry/identity.h"
#include "registry/life.h"
#include "registry/peaks.h"
#include "registry/pool_limits.h"
#include "registry/registry.h"

/*
 * Take this session off its instance, which keeps what it counted; "end" is
 * NULL if it only moves.  That it had a transaction stays known there.  Takes no
 * LWLock: it may be exiting with one held.  The instance's count of backends goes
 * last: until then the entry cannot be given up.
 */
static void
detach(int32 i, const PgpsSessionEnd *end, TimestampTz now)
{
	PgpsInstanceEntry *entry = pgps_instance(i);
	PgpsInstance *data = &entry->data;

	SpinLockAcquire(&entry->mutex);
	pgps_change_begins(&pgps_instance_changes[i]);
	if (end != NULL)
	{
		pgps_count_end(data, end, now);
		if (!end->only_reported)
			data->ended_in_order = end->reason == PGPS_END_CLIENT_CLOSED;
		data->last_seen = now;
	}
	data->here--;
	data->multiplexed |= pgps_backend_is_multiplexed();
	if (!pgps_backend_only_reported())
	{
		data->last_xact = Max(data->last_xact, pgps_backend_last_xact());
		data->last_end = Max(data->last_end, pgps_backend_last_end());
		data->ended++;
		data->ended_at = Max(data->ended_at, now);
	}
	pgps_backend_hand_over(entry->activity.generation, now, &data->counters,
						   &pgps_xact_times[i].all);
	pgps_change_ends(&pgps_instance_changes[i]);
	SpinLockRelease(&entry->mutex);
	pg_atomic_fetch_sub_u32(&pgps_pools[data->pool].attached, 1);
	pgps_instance_detach(i);
}

/*
 * Move this session, and its transaction if it is in one, to an instance; it
 * begins there later.  Returns whether it was not there before.  Caller holds the
 * lock exclusively.
 */
static bool
attach(int32 i, bool in_xact, TimestampTz now)
{
	int32		old = pgps_backend_instance();
	PgpsInstanceEntry *entry = pgps_instance(i);
	int32		pool = entry->data.pool;
	int32		connections;

	if (old == i)
		return false;
	if (old != PGPS_NO_INSTANCE)
	{
		/* the time of it that passed is the old one's: nobody has seen more */
		if (in_xact)
			now = GetCurrentTimestamp();

		/* first: when nobody is attached, the entry may become another's */
		if (in_xact)
			pgps_activity_end(&pgps_instance(old)->activity, now);
		detach(old, NULL, now);
	}

	pgps_instance_attach(i);
	connections = pg_atomic_add_fetch_u32(&pgps_pools[pool].attached, 1);
	if (connections > pgps_pools[pool].data.peak_connections)
	{
		pgps_change_begins(&pgps_pool_changes[pool]);
		pgps_pools[pool].data.peak_connections = connections;
		pgps_pools[pool].data.peak_connections_at = now;
		pgps_change_ends(&pgps_pool_changes[pool]);
	}
	pgps_backend_enter(i, entry->activity.generation, now);
	return true;
}

/* This session connects, but belongs to no pool that is tracked. */
void
pgps_registry_connect(Oid roleid, Oid dbid)
{
	int			processes = pgps_client_processes();

	pgps_lock_registry(LW_EXCLUSIVE);
	pgps_peaks_connect(roleid, dbid, processes, GetCurrentTimestamp());
	pgps_unlock_registry();
}

/* Caller holds the lock exclusively: who counts what is limited does so, too. */
static void
note_limits(const PgpsIdentity *identity, bool connect, int32 pool)
{
	pgps_my_slot->not_limited = identity->not_limited;
	if (connect)
		pgps_my_slot->came_later = false;
	else
	{
		int32		old = pgps_backend_instance();

		if (old == PGPS_NO_INSTANCE || pgps_instance(old)->data.pool != pool)
			pgps_my_slot->came_later = true;
	}
}

/*
 * Put this session where it belongs by its label or by discovery.  "connect"
 * is false when it was there before, under this label or another; if it moves,
 * a transaction that it is in ends there.  Returns where its transactions
 * count; NULL if its pool has "at_most" connections already.
 */
PgpsActivity *
pgps_registry_join(const PgpsIdentity *identity, bool connect, bool in_xact,
				   int at_most)
{
	PgpsPoolKey key = {
		.roleid = identity->roleid,
		.dbid = identity->dbid,
	};
	TimestampTz now = GetCurrentTimestamp();
	int			processes = connect ? pgps_client_processes() : 0;
	uint64		network = connect ? pgps_network_of(identity->client_addr) : 0;
	PgpsInstanceEntry *entry;
	PgpsInstance *data;
	bool		entered;
	int32		cap;
	int32		pool;
	int32		i;

	StaticAssertStmt(sizeof(key.name) == sizeof(identity->pool),
					 "names have one length");
	memcpy(key.name, identity->pool, sizeof(key.name));

	if (!connect)
		pgps_backend_note_used();
	pgps_lock_registry(LW_EXCLUSIVE);
	if (at_most != PGPS_ANY_NUMBER && pgps_pool_is_at(&key, at_most))
	{
		pgps_unlock_registry();
		return NULL;
	}
	pool = pgps_need_pool(&key, NameStr(identity->usename),
						  NameStr(identity->datname), !identity->labelled, now);
	i = pgps_need_instance(pool, identity->instance, true, now);
	note_limits(identity, connect, pool);
	entered = attach(i, in_xact, now);
	if (connect)
	{
		pgps_peaks_connect(identity->roleid, identity->dbid, processes, now);
		pgps_note_seen(pool, network, now);
	}

	entry = pgps_instance(i);
	data = &entry->data;
	SpinLockAcquire(&entry->mutex);
	if (entered)
	{
		/* who moves is at one of two */
		pgps_change_begins(&pgps_instance_changes[i]);
		data->here++;
		data->made++;
		data->multiplexed |= pgps_backend_is_multiplexed();
		pgps_change_ends(&pgps_instance_changes[i]);
	}
	if (identity->labelled)
	{
		data->source = Max(data->source, PGPS_SOURCE_LABEL);
		data->labelled = true;
		data->label = identity->cap;
		if (identity->app_version[0] != '\0')
			memcpy(data->app_version, identity->app_version, PGPS_POOL_LEN);
	}
	memcpy(data->client_addr, identity->client_addr, PGPS_ADDR_LEN);
	if (identity->via[0] != '\0')
		memcpy(data->via, identity->via, PGPS_POOL_LEN);
	if (connect)
		pgps_raise_count(&data->counters, PGPS_CONNECTS, 1);
	data->last_seen = now;
	cap = pgps_instance_cap(data);
	SpinLockRelease(&entry->mutex);
	pgps_activity_set_cap(&entry->activity, cap, now);
	if (data->other)
		pg_atomic_fetch_add_u64(&pgps_registry->overflowed, 1);
	pgps_unlock_registry();
	return &entry->activity;
}

/* Take this session off where it is: it is not to be tracked any more. */
void
pgps_registry_unplace(bool in_xact)
{
	int32		i = pgps_backend_instance();
	TimestampTz now;

	if (i == PGPS_NO_INSTANCE)
		return;
	pgps_backend_note_used();
	pgps_lock_registry(LW_EXCLUSIVE);
	now = GetCurrentTimestamp();
	if (in_xact)
		pgps_activity_end(&pgps_instance(i)->activity, now);
	detach(i, NULL, now);
	pgps_unlock_registry();
}

/* This session ends.  Takes no LWLock: it may be exiting with one held. */
void
pgps_registry_leave(const PgpsSessionEnd *end)
{
	int32		i = pgps_backend_instance();

	if (i == PGPS_NO_INSTANCE)
		return;
	pgps_backend_note_used();
	pgps_sessions_end(pgps_instance(i)->data.pool, end);
	detach(i, end, GetCurrentTimestamp());
}
