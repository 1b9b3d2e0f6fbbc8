/*-------------------------------------------------------------------------
 *
 * holdup.c
 *	  Why clients of a pooler's pool wait.
 *
 * First what the pooler's console says itself, then what this server rejected
 * of it, then what its connections here do.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/backend_status.h"

#include "analysis/holdup.h"
#include "dialects/fields.h"
#include "poolers/pooler_list.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "registry/status.h"
#include "registry/told.h"
#include "server/origin.h"
#include "server/rejections.h"

/*
 * What was rejected longer ago says nothing of now: PgBouncer tries again every
 * 15 s (server_login_retry).
 */
#define REJECTED_LATELY USECS_PER_MINUTE

/* a session that is idle for less may be between two statements */
#define IDLE_FOR USECS_PER_SEC

const char *
pgps_holdup_name(PgpsHoldupKind kind)
{
	static const char *const names[PGPS_HOLDUPS] = {
		NULL, "paused", "disabled", "login fails", "server limit",
		"no connection", "idle sessions", "full", "connecting", "client limit"
	};

	return names[kind];
}

/* Else it is at the pooler. */
bool
pgps_is_at_server(PgpsHoldupKind kind)
{
	return kind == PGPS_HOLDUP_LIMIT || kind == PGPS_HOLDUP_CONNECTING;
}

/* Of the pools of one pooler, role and database: the one where most wait */
const PgpsInstanceState *
pgps_held_up_most(const PgpsPoolState *pool)
{
	const PgpsInstanceState *most = NULL;
	int			i;

	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];

		if (state->live && state->data->source == PGPS_SOURCE_POOLER &&
			pgps_known(&state->now.shown, PGPS_OPEN) &&
			(most == NULL ||
			 pgps_get(&state->now.shown, PGPS_WAITING, 0) >
			 pgps_get(&most->now.shown, PGPS_WAITING, 0)))
			most = state;
	}
	return most;
}

/* The pooler whose pool it is; NULL if it is none of those that are polled. */
const PgpsPooler *
pgps_pooler_of_pool(const PgpsInstanceState *state, const PgpsSnapshot *snapshot)
{
	int			i;

	for (i = 0; state->data->source == PGPS_SOURCE_POOLER && i < PGPS_MAX_POOLERS; i++)
	{
		if (strcmp(snapshot->poolers[i].name,
				   state->pool->data->key.name) == 0)
			return &snapshot->poolers[i];
	}
	return NULL;
}

/* Is it one that this pooler holds to the server, for these clients? */
bool
pgps_is_poolers(const PgpsBackend *backend, const PgpsInstanceState *state,
				const PgpsSnapshot *snapshot)
{
	const PgpsPoolKey *key = &state->pool->data->key;

	return backend->pooler != PGPS_NO_POOLER &&
		backend->roleid == key->roleid && backend->dbid == key->dbid &&
		strcmp(snapshot->poolers[backend->pooler].name, key->name) == 0;
}

/*
 * Was it a connection of this pooler that was rejected?  From where its
 * connections come, or its console is, with the names of the pool.
 */
bool
pgps_rejects_pooler(const PgpsRejection *rejection,
					const PgpsInstanceState *state,
					const PgpsSnapshot *snapshot)
{
	const PgpsOrigin *origin = &rejection->origin;
	const PgpsPool *pool = state->pool->data;
	const PgpsPooler *pooler = pgps_pooler_of_pool(state, snapshot);

	return pooler != NULL &&
		(pooler->comes_from_known || pooler->comes_from[0] != '\0') &&
		strcmp(origin->client_addr, pooler->comes_from) == 0 &&
		strcmp(origin->usename, NameStr(pool->usename)) == 0 &&
		strcmp(origin->datname, NameStr(pool->datname)) == 0;
}

/*
 * What was rejected of a pooler that has no connection, since it had one?  Or
 * that has too few.
 */
static PgpsHoldupKind
find_rejection(PgpsHoldup *holdup, const PgpsInstanceState *state,
			   const PgpsSnapshot *snapshot)
{
	const PgpsRejections *rejections = snapshot->rejections;
	PgpsHoldupKind kind = PGPS_HOLDUP_NONE;
	TimestampTz lately = snapshot->taken_at - REJECTED_LATELY;
	TimestampTz last;
	int			i;

	if (pgps_get(&state->now.shown, PGPS_OPEN, 0) == 0)
		lately = Max(lately, state->data->had_some_at);
	last = lately;
	for (i = 0; rejections != NULL && i < rejections->nrejections; i++)
	{
		const PgpsRejection *row = &rejections->rejections[i];
		PgpsRejecter by = pgps_rejecter(row->origin.reason);

		if ((by != PGPS_AT_LOGIN && by != PGPS_BY_LIMIT) ||
			!pgps_rejects_pooler(row, state, snapshot) ||
			row->last_rejected <= lately)
			continue;
		if (holdup->rejected_since == 0 ||
			row->first_rejected < holdup->rejected_since)
			holdup->rejected_since = row->first_rejected;
		if (row->last_rejected <= last)
			continue;
		last = row->last_rejected;
		kind = by == PGPS_AT_LOGIN ? PGPS_HOLDUP_LOGIN : PGPS_HOLDUP_LIMIT;
	}
	return kind;
}

/* Of its connections here, those of sessions that do nothing for long */
static void
find_idle_sessions(PgpsHoldup *holdup, const PgpsInstanceState *state,
				   const PgpsSnapshot *snapshot)
{
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];

		CHECK_FOR_INTERRUPTS();
		if (!pgps_is_poolers(backend, state, snapshot) || backend->in_xact ||
			backend->state != STATE_IDLE ||
			backend->state_change > snapshot->backends_at - IDLE_FOR)
			continue;
		if (holdup->longest != NULL &&
			pgps_instance_of(snapshot, holdup->longest) !=
			pgps_instance_of(snapshot, backend))
			holdup->several_hold = true;
		if (holdup->idle++ == 0 ||
			backend->state_change < holdup->longest->state_change)
			holdup->longest = backend;
	}
}

/* It may have no more connections: why are those that it has not free? */
static PgpsHoldupKind
find_holders(PgpsHoldup *holdup, const PgpsInstanceState *state,
			 const PgpsSnapshot *snapshot)
{
	if (strcmp(state->data->pool_mode, "session") != 0)
		return PGPS_HOLDUP_FULL;
	find_idle_sessions(holdup, state, snapshot);

	/* what is idle here may be free there: only so many are lent */
	return holdup->idle <= holdup->lent && holdup->idle * 2 >= holdup->lent ?
		PGPS_HOLDUP_IDLE_SESSIONS : PGPS_HOLDUP_FULL;
}

/* "state" is of a pooler, as its console told last */
void
pgps_find_holdup(PgpsHoldup *holdup, const PgpsInstanceState *state,
				 const PgpsSnapshot *snapshot)
{
	const PgpsValues *shown = &state->now.shown;
	const PgpsTold *told = &state->data->told;
	const PgpsPooler *pooler;
	int64		open = pgps_get(shown, PGPS_OPEN, -1);

	memset(holdup, 0, sizeof(PgpsHoldup));
	if (state->now.late || open < 0)
		return;
	holdup->waiting = pgps_get(shown, PGPS_WAITING, 0);
	holdup->lent = pgps_get(shown, PGPS_CHECKED_OUT, 0);
	if (holdup->waiting > 0)
	{
		strlcpy(holdup->waiting_app, told->waiting_app, PGPS_POOL_LEN);
		holdup->several_wait = (told->state & PGPS_SEVERAL_WAIT) != 0;
	}

	if (told->state & PGPS_PAUSED)
	{
		holdup->kind = PGPS_HOLDUP_PAUSED;
		return;
	}

	/* those who waited may have been sent away */
	if (open == 0)
		holdup->kind = find_rejection(holdup, state, snapshot);
	if (holdup->kind != PGPS_HOLDUP_NONE)
		return;
	if (holdup->waiting > 0)
	{
		if (open == 0)
			holdup->kind = PGPS_HOLDUP_NO_CONNECTION;
		else if (holdup->lent + pgps_get(shown, PGPS_CHECKED_IN, 0) <
				 pgps_get(shown, PGPS_POOL_SIZE, PG_INT32_MAX))
		{
			holdup->kind = find_rejection(holdup, state, snapshot);
			if (holdup->kind != PGPS_HOLDUP_LIMIT)
				holdup->kind = PGPS_HOLDUP_CONNECTING;
		}
		else
			holdup->kind = find_holders(holdup, state, snapshot);
		return;
	}
	/* whom it rejects does not wait in it */
	pooler = pgps_pooler_of_pool(state, snapshot);
	if (told->state & PGPS_DISABLED)
		holdup->kind = PGPS_HOLDUP_DISABLED;
	else if ((told->state & PGPS_NO_MORE_CLIENTS) ||
			 (pooler != NULL && pooler->max_client_conn > 0 &&
			  pooler->clients >= pooler->max_client_conn))
		holdup->kind = PGPS_HOLDUP_CLIENT_LIMIT;
}
