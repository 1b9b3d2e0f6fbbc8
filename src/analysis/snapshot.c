/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *	  Everything at one moment: copied, joined with the server's view, judged.
 *
 * Readers and the collector start here.  Once the copy is made, no lock is held
 * and no shared memory is read, so allocating may raise an error.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

#include "analysis/rollup.h"
#include "analysis/snapshot.h"
#include "poolers/pooler_list.h"
#include "server/origin.h"
#include "server/rejection_rows.h"

/* by then a polled pooler has listed its connections to this server */
#define SETTLED (60 * USECS_PER_SEC)

/*
 * The pooler between a backend and its client: by its name if it is polled,
 * else by its address; NULL if none is known.
 */
const char *
pgps_pooler_between(const PgpsSnapshot *snapshot, const PgpsBackend *backend)
{
	if (backend->pooler != PGPS_NO_POOLER &&
		snapshot->poolers[backend->pooler].name[0] != '\0')
		return snapshot->poolers[backend->pooler].name;
	if (backend->client_addr[0] != '\0' &&
		pgps_is_pooler_address(backend->client_addr))
		return backend->client_addr;
	return NULL;
}

/* Count each backend for its instance. */
static void
see_backends(PgpsSnapshot *snapshot)
{
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		PgpsInstanceState *state;
		const char *via;

		CHECK_FOR_INTERRUPTS();
		if (backend->instance == PGPS_NO_INSTANCE)
			continue;
		state = snapshot->by_index[backend->instance];
		if (state == NULL)
			continue;			/* of another pool than the one asked for */
		state->server.connections++;
		state->server.labelled += backend->labelled;
		state->server.in_xact += backend->in_xact;
		state->server.idle_in_xact += backend->idle_in_xact;
		state->server.reporters += backend->only_reports;
		state->server.active += !backend->waits_for_client &&
			(backend->state == STATE_RUNNING ||
			 backend->state == STATE_FASTPATH);
		if (!backend->only_reports)
		{
			state->server.last_end = Max(state->server.last_end,
										 backend->last_end);
			state->server.last_statement = Max(state->server.last_statement,
											   Max(backend->last_xact,
												   backend->state_change));
		}
		if (backend->memory >= 0)
		{
			state->server.memory += backend->memory;
			state->server.memory_sampled++;
		}
		state->server.last_xact = Max(state->server.last_xact,
									  backend->last_xact);
		state->server.pooled += backend->pooler != PGPS_NO_POOLER;
		via = pgps_pooler_between(snapshot, backend);
		if (via != NULL)
			state->via = via;
		state->direct = via == NULL &&
			backend->backend_start + SETTLED < snapshot->taken_at &&
			(state->direct || state->server.connections == 1);
		state->server.via_pooler |= state->via != NULL || backend->several;
	}
}

/*
 * Is there another reason for a report to be late: were logins of its role or
 * from its address rejected since the last one, or did most reports stop at
 * once?
 */
static bool
has_another_reason(const PgpsSnapshot *snapshot, const PgpsInstanceState *state)
{
	const PgpsRejections *rejections = snapshot->rejections;
	const PgpsInstance *data = state->data;
	const char *usename = NameStr(state->pool->data->usename);
	int			i;

	if (state->now.late_at >= snapshot->info.stopped_from &&
		state->now.late_at <= snapshot->info.stopped_until)
		return true;

	/* the newest last */
	for (i = rejections->nrejections - 1; i >= 0; i--)
	{
		const PgpsRejection *row = &rejections->rejections[i];

		if (row->last_rejected + USECS_PER_MINUTE < data->last_report)
			break;
		if (row->last_rejected > data->last_report && !row->origin.claimed &&
			(strcmp(row->origin.usename, usename) == 0 ||
			 (data->client_addr[0] != '\0' &&
			  strcmp(row->origin.client_addr, data->client_addr) == 0)))
			return true;
	}
	return false;
}

static void
judge_view(PgpsSnapshot *snapshot, PgpsInstanceState *state)
{
	PgpsReported reported;
	PgpsServerState *server = &state->server;

	server->last_xact = Max(server->last_xact, state->data->last_xact);
	server->last_end = Max(server->last_end, state->data->last_end);
	server->last_statement = Max(server->last_statement, state->data->last_xact);
	pgps_instance_reported(&reported, state->data);
	reported.by_timer = state->pool->by_timer;
	server->looked_at = snapshot->info.last_pass;
	pgps_judge(&state->now, &reported, server, snapshot->taken_at,
			   snapshot->info.started_at);
	if (state->now.status == PGPS_LOST && has_another_reason(snapshot, state))
	{
		server->not_lost = true;
		pgps_judge(&state->now, &reported, server, snapshot->taken_at,
				   snapshot->info.started_at);
	}
	state->counters = state->data->counters;
	if (state->data->source == PGPS_SOURCE_POOLER)
		pgps_take_pooler_xacts(&state->counters);
	state->live = state->now.status != PGPS_GONE;
	state->status_since = state->now.status == state->data->status ?
		state->data->status_since : state->now.since;
}

/*
 * The instance that a backend belongs to; NULL if it belongs to none, or to
 * one of another pool than the one asked for
 */
const PgpsInstanceState *
pgps_instance_of(const PgpsSnapshot *snapshot, const PgpsBackend *backend)
{
	return backend->instance == PGPS_NO_INSTANCE ? NULL :
		snapshot->by_index[backend->instance];
}

/* Live instances first, then by name */
static int
compare_instances(const void *a, const void *b)
{
	const PgpsInstanceState *x = *(PgpsInstanceState *const *) a;
	const PgpsInstanceState *y = *(PgpsInstanceState *const *) b;

	if (x->live != y->live)
		return x->live ? -1 : 1;
	return strcmp(x->data->name, y->data->name);
}

static void
add_instance(PgpsSnapshot *snapshot, const PgpsInstanceCopy *copy)
{
	PgpsInstanceState *state = &snapshot->instances[snapshot->ninstances++];

	CHECK_FOR_INTERRUPTS();
	state->copy = copy;
	state->data = &copy->data;
	if (state->data->via[0] != '\0')
	{
		state->via = state->data->via;
		state->server.via_pooler = true;
	}
	state->server.via_pooler |= state->data->multiplexed;
	snapshot->by_index[copy->index] = state;
}

/* The pool's instances as somebody has seen them before */
static void
add_seen_instances(PgpsSnapshot *snapshot, const PgpsSnapshot *seen)
{
	int			i;

	for (i = 0; i < seen->ninstances; i++)
	{
		add_instance(snapshot, seen->instances[i].copy);
		memcpy(snapshot->instances[i].histograms, seen->instances[i].histograms,
			   sizeof(snapshot->instances[i].histograms));
	}
}

/*
 * Its connections likewise, and those that were not the pool's then and are not
 * now.
 */
static void
take_seen_backends(PgpsSnapshot *snapshot, const PgpsCopy *copy,
				   const PgpsSnapshot *seen)
{
	PgpsBackend *backends = palloc((copy->nbackends + seen->nbackends) *
								   sizeof(PgpsBackend));
	bool	   *here = palloc0(copy->max_instance * sizeof(bool));
	Bitmapset  *kept = NULL;
	int			n = 0;
	int			i;

	for (i = 0; i < copy->ninstances; i++)
		here[copy->instances[i].index] =
			copy->instances[i].data.pool == seen->pools[0].copy->index;
	for (i = 0; i < seen->nbackends; i++)
	{
		if (pgps_instance_of(seen, &seen->backends[i]) == NULL)
			continue;
		kept = bms_add_member(kept, seen->backends[i].procno);
		backends[n++] = seen->backends[i];
	}
	for (i = 0; i < copy->nbackends; i++)
	{
		const PgpsBackend *backend = &copy->backends[i];

		CHECK_FOR_INTERRUPTS();
		if (!bms_is_member(backend->procno, kept) &&
			(backend->instance == PGPS_NO_INSTANCE || !here[backend->instance]))
			backends[n++] = *backend;
	}
	snapshot->backends = backends;
	snapshot->nbackends = n;
}

/* Is the pool that was seen still there? */
static bool
is_still_there(const PgpsCopy *copy, const PgpsSnapshot *seen)
{
	const PgpsPoolCopy *pool = seen->npools > 0 ? seen->pools[0].copy : NULL;
	int			i;

	for (i = 0; pool != NULL && i < copy->npools; i++)
	{
		if (copy->pools[i].index == pool->index)
			return copy->pools[i].data.first_seen == pool->data.first_seen;
	}
	return false;
}

static void
take_histograms(PgpsSnapshot *snapshot, const PgpsCopy *copy,
				PgpsHistograms histograms)
{
	int			i;

	if (histograms == PGPS_NO_HISTOGRAMS)
		return;
	snapshot->histograms |= 1 << histograms;
	for (i = 0; i < copy->ninstances; i++)
	{
		const PgpsInstanceCopy *from = &copy->instances[i];
		PgpsInstanceState *state = from->index < snapshot->max_instance ?
			snapshot->by_index[from->index] : NULL;

		CHECK_FOR_INTERRUPTS();
		if (state != NULL && state->histograms[histograms] == NULL &&
			state->data->first_seen == from->data.first_seen)
			state->histograms[histograms] = from->histogram;
	}
}

/* What was "seen" of one pool, unless that is NULL, stays. */
static PgpsSnapshot *
make_snapshot(const PgpsCopy *copy, const PgpsRejections *rejections,
			  const PgpsSnapshot *seen)
{
	PgpsSnapshot *snapshot = palloc0(sizeof(PgpsSnapshot));
	const PgpsPoolCopy *seen_pool = seen ? seen->pools[0].copy : NULL;
	int			room = copy->ninstances + (seen ? seen->ninstances : 0);
	PgpsInstanceState **next;
	int			i;

	snapshot->taken_at = GetCurrentTimestamp();
	snapshot->info = copy->info;
	snapshot->backends = copy->backends;
	snapshot->backends_at = copy->backends_at;
	snapshot->nbackends = copy->nbackends;
	snapshot->peaks = copy->peaks;
	snapshot->npeaks = copy->npeaks;
	snapshot->rejections = rejections;
	snapshot->poolers = pgps_poolers_copy();
	snapshot->instances = palloc_extended(Max(room, 1) * sizeof(PgpsInstanceState),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	snapshot->max_instance = copy->max_instance;
	snapshot->npools = copy->npools;
	snapshot->pools = palloc_extended(Max(copy->npools, 1) * sizeof(PgpsPoolState),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	snapshot->by_index = palloc0(copy->max_instance * sizeof(PgpsInstanceState *));
	if (seen != NULL)
	{
		add_seen_instances(snapshot, seen);
		take_seen_backends(snapshot, copy, seen);
	}
	for (i = 0; i < copy->ninstances; i++)
	{
		if (seen_pool == NULL ||
			copy->instances[i].data.pool != seen_pool->index)
			add_instance(snapshot, &copy->instances[i]);
	}
	see_backends(snapshot);

	snapshot->max_pool = copy->max_pool;
	snapshot->pool_by_index = palloc0(copy->max_pool * sizeof(PgpsPoolState *));
	for (i = 0; i < copy->npools; i++)
	{
		const PgpsPoolCopy *from = &copy->pools[i];

		if (seen_pool != NULL && seen_pool->index == from->index)
			from = seen_pool;
		pgps_start_pool(&snapshot->pools[i], from);
		snapshot->pool_by_index[from->index] = &snapshot->pools[i];
	}
	for (i = 0; i < snapshot->ninstances; i++)
	{
		PgpsInstanceState *state = &snapshot->instances[i];
		PgpsPoolState *pool = snapshot->pool_by_index[state->data->pool];

		CHECK_FOR_INTERRUPTS();
		state->pool = pool;
		pool->by_timer |= pgps_instance_reports_by_timer(state->data);
	}
	for (i = 0; i < snapshot->ninstances; i++)
	{
		PgpsInstanceState *state = &snapshot->instances[i];
		PgpsPoolState *pool = snapshot->pool_by_index[state->data->pool];

		CHECK_FOR_INTERRUPTS();
		judge_view(snapshot, state);
		pool->reported |= state->live && state->now.reported;
		pool->ninstances++;
	}

	next = palloc_extended(Max(room, 1) * sizeof(PgpsInstanceState *),
						   MCXT_ALLOC_HUGE);
	for (i = 0; i < snapshot->npools; i++)
	{
		snapshot->pools[i].instances = next;
		next += snapshot->pools[i].ninstances;
		snapshot->pools[i].ninstances = 0;
	}
	for (i = 0; i < snapshot->ninstances; i++)
	{
		PgpsInstanceState *state = &snapshot->instances[i];
		PgpsPoolState *pool = snapshot->pool_by_index[state->data->pool];

		CHECK_FOR_INTERRUPTS();
		pool->instances[pool->ninstances++] = state;
		pgps_roll_up(pool, state);
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		PgpsPoolState *pool = &snapshot->pools[i];

		CHECK_FOR_INTERRUPTS();
		qsort(pool->instances, pool->ninstances, sizeof(PgpsInstanceState *),
			  compare_instances);
		pgps_finish_pool(pool, snapshot->taken_at);
	}
	return snapshot;
}

/*
 * Take a snapshot in the current memory context, with the histograms of
 * transaction times that are asked for.
 */
PgpsSnapshot *
pgps_take_snapshot(PgpsHistograms histograms)
{
	return pgps_take_whole_snapshot(histograms, NULL);
}

/* The same of one pool and its instances, by its number */
PgpsSnapshot *
pgps_take_pool_snapshot(PgpsHistograms histograms, int32 pool)
{
	PgpsCopy   *copy = pgps_registry_copy(histograms, pool);
	PgpsSnapshot *snapshot = make_snapshot(copy, pgps_rejections_copy(), NULL);

	take_histograms(snapshot, copy, histograms);
	return snapshot;
}

/*
 * Of all pools, for somebody who has seen one of them before, unless "seen" is
 * NULL: that one stays as he has seen it.
 */
PgpsSnapshot *
pgps_take_whole_snapshot(PgpsHistograms histograms, const PgpsSnapshot *seen)
{
	PgpsCopy   *copy = pgps_registry_copy(histograms, PGPS_ALL_POOLS);
	PgpsSnapshot *snapshot;

	snapshot = make_snapshot(copy,
							 seen ? seen->rejections : pgps_rejections_copy(),
							 seen && is_still_there(copy, seen) ? seen : NULL);
	take_histograms(snapshot, copy, histograms);
	return snapshot;
}

/*
 * Histograms are large: they are copied only if somebody asks for them.  If
 * that is later, they are a moment younger than the rest.
 */
void
pgps_add_histograms(PgpsSnapshot *snapshot, PgpsHistograms histograms)
{
	int32		pool = snapshot->npools == 1 ? snapshot->pools[0].copy->index :
		PGPS_ALL_POOLS;

	take_histograms(snapshot, pgps_registry_copy(histograms, pool), histograms);
}
