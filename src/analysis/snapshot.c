/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *	  Everything at one moment: copied, joined with the server's view, judged.
 *
 * Readers and the collector start here.  After the copy is made nothing is
 * shared: no lock, no shared memory, allocation is free to raise.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "analysis/snapshot.h"
#include "base/settings.h"
#include "poolers/addresses.h"
#include "registry/bindings.h"

/* time after which a pooler has reported which connections are its own */
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
		PgpsInstanceView *view;
		const char *via;

		if (backend->instance == PGPS_NO_INSTANCE)
			continue;
		view = snapshot->by_index[backend->instance];
		view->server.connections++;
		view->server.labelled += backend->labelled;
		view->server.in_xact += backend->in_xact;
		view->server.idle_in_xact += backend->idle_in_xact;
		view->server.reporters += backend->only_reports;
		view->server.last_xact = Max(view->server.last_xact,
									 backend->last_xact);
		view->server.pooled += backend->pooler != PGPS_NO_POOLER;
		via = pgps_pooler_between(snapshot, backend);
		if (via != NULL)
			view->via = via;
		view->direct = via == NULL &&
			backend->backend_start + SETTLED < snapshot->taken_at &&
			(view->direct || view->server.connections == 1);
		view->server.via_pooler |= view->via != NULL || backend->several;
	}
}

/* The transactions of a pooler's clients are known as far as it reports them. */
static void
take_pooler_xacts(PgpsCounters *counters)
{
	if (pgps_is_counted(counters, PGPS_XACTS))
	{
		pgps_set_count(counters, PGPS_SERVER_XACTS,
					   pgps_count(counters, PGPS_XACTS, 0));
		pgps_set_count(counters, PGPS_XACT_TIME,
					   pgps_count(counters, PGPS_TOTAL_USE_TIME, 0));
	}
	else
	{
		pgps_unset_count(counters, PGPS_SERVER_XACTS);
		pgps_unset_count(counters, PGPS_XACT_TIME);
	}
}

static void
judge_view(PgpsSnapshot *snapshot, PgpsInstanceView *view)
{
	PgpsReported reported;

	view->server.last_xact = Max(view->server.last_xact,
								 view->data->last_xact);
	pgps_instance_reported(&reported, view->data);
	pgps_judge(&view->now, &reported, &view->server, snapshot->taken_at,
			   snapshot->info.started_at);
	view->counters = view->data->counters;
	if (view->data->source == PGPS_SOURCE_POOLER)
		take_pooler_xacts(&view->counters);
	view->live = view->now.status != PGPS_GONE;
	view->status_since = view->now.status == view->data->status ?
		view->data->status_since : view->now.since;
}

/* The instance that a backend belongs to, or NULL */
const PgpsInstanceView *
pgps_instance_of(const PgpsSnapshot *snapshot, const PgpsBackend *backend)
{
	return backend->instance == PGPS_NO_INSTANCE ? NULL :
		snapshot->by_index[backend->instance];
}

/* How full, in percent of the known maximum; -1 if either is unknown */
double
pgps_used_pct(const PgpsValues *shown)
{
	if (!pgps_known(shown, PGPS_MAX_SIZE) ||
		!pgps_known(shown, PGPS_CHECKED_OUT) ||
		shown->value[PGPS_MAX_SIZE] <= 0)
		return -1;
	return 100.0 * shown->value[PGPS_CHECKED_OUT] / shown->value[PGPS_MAX_SIZE];
}

/*
 * Connections that an instance holds beyond its maximum; 0 also where that
 * cannot be told.  Who only came to report is not from the pool.
 */
int64
pgps_over_capacity(const PgpsInstanceView *view)
{
	int64		held = view->server.connections - view->server.reporters;

	if (view->server.labelled == 0 || view->server.via_pooler ||
		!pgps_known(&view->now.shown, PGPS_MAX_SIZE))
		return 0;
	return Max(held - view->now.shown.value[PGPS_MAX_SIZE], 0);
}

/*
 * What a live instance may ask this server for: its maximum, or what it holds
 * if that is more or the maximum is unknown.  Behind a pooler, what is here,
 * unless the pooler is polled: then its own maximum counts instead.
 *
 * A discovered instance claims nothing; its connections may well be those
 * that a report without label speaks of, so both are kept apart here and
 * settled per role and database (commitments.c).
 */
static void
commit(PgpsPoolView *pool, const PgpsInstanceView *view)
{
	int64		here = view->server.connections - view->server.pooled;
	int64		open;

	if (view->data->source == PGPS_SOURCE_DISCOVERY)
	{
		pool->unlabelled += here;
		pool->discovered += here > 0;
		return;
	}
	if (view->data->source == PGPS_SOURCE_POOLER)
	{
		if (view->data->seen_here)
		{
			pool->committed += pgps_get(&view->now.shown, PGPS_MAX_SIZE,
										pgps_get(&view->now.shown, PGPS_OPEN, 0));
			pool->uncapped += !pgps_known(&view->now.shown, PGPS_MAX_SIZE);
		}
		return;
	}
	if (view->via != NULL || view->data->other)
	{
		pool->committed += here;
		pool->behind += pgps_get(&view->now.shown, PGPS_MAX_SIZE,
								 pgps_get(&view->now.shown, PGPS_OPEN, 0));
		pool->behind_uncapped += !pgps_known(&view->now.shown, PGPS_MAX_SIZE);
		return;
	}

	open = view->now.reported ? pgps_get(&view->now.shown, PGPS_OPEN, 0) : 0;
	pool->missing += Max(open - here, 0);
	pool->committed += Max(Max(open, here),
						   pgps_get(&view->now.shown, PGPS_MAX_SIZE, 0));
	pool->uncapped += !pgps_known(&view->now.shown, PGPS_MAX_SIZE);
}

static void
add_known(PgpsValues *sum, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
		pgps_set(sum, f, pgps_add_saturated(pgps_get(sum, f, 0), v->value[f]));
}

/* Add one instance to its pool. */
static void
roll_up(PgpsPoolView *pool, PgpsInstanceView *view)
{
	const PgpsValues *shown = &view->now.shown;
	double		pct;
	int			f;

	pgps_counters_add(&pool->counters, &view->data->counters);
	pool->source = Max(pool->source, (PgpsSource) view->data->source);
	pool->last_report = Max(pool->last_report, view->data->last_report);
	if (view->data->other)
	{
		pool->connections += view->server.connections;
		pool->in_xact += view->server.in_xact;
		pool->idle_in_xact += view->server.idle_in_xact;
		commit(pool, view);
		return;
	}
	if (!view->live)
	{
		pool->gone++;
		return;
	}

	pool->connections += view->server.connections;
	pool->in_xact += view->server.in_xact;
	pool->idle_in_xact += view->server.idle_in_xact;
	commit(pool, view);
	if (pool->via == NULL)
		pool->via = view->via;

	/*
	 * Unlabelled connections under the same name are those that the reports
	 * speak of, not an instance more.
	 */
	if (pool->reported && view->data->source == PGPS_SOURCE_DISCOVERY)
		return;

	view->counts = true;
	pool->live++;
	for (f = 0; f < PGPS_FIRST_COUNTER; f++)
	{
		if (f == PGPS_UNLIMITED)
			continue;
		if (f == PGPS_MAX_WAIT)
		{
			if (pgps_known(shown, f))
				pgps_set(&pool->sum, f, Max(pgps_get(&pool->sum, f, 0),
											shown->value[f]));
		}
		else
			add_known(&pool->sum, shown, f);
	}
	if (pgps_known(shown, PGPS_UNLIMITED))
		pgps_set(&pool->sum, PGPS_UNLIMITED,
				 Max(pgps_get(&pool->sum, PGPS_UNLIMITED, 0),
					 shown->value[PGPS_UNLIMITED]));
	if (!pgps_known(shown, PGPS_MAX_SIZE))
		pool->cap_known = false;
	pool->lent = Max(pool->lent, pgps_get(shown, PGPS_CHECKED_OUT, 0));

	pct = pgps_used_pct(shown);
	if (pct > pool->fullest_pct)
	{
		pool->fullest_pct = pct;
		pool->fullest = view;
	}
	if (view->now.status > pool->status ||
		(view->now.status == pool->status &&
		 view->status_since < pool->status_since))
	{
		pool->status = view->now.status;
		pool->status_since = view->status_since;
	}
	pool->exhausted += view->now.status == PGPS_EXHAUSTED;
	pool->silent += view->now.status == PGPS_SILENT;
	pool->reporting += view->now.reported;
	if (view->now.unclaimed >= 0)
		pool->unclaimed = Max(pool->unclaimed, 0) + view->now.unclaimed;
}

static void
start_pool(PgpsPoolView *pool, const PgpsPoolCopy *copy)
{
	pool->copy = copy;
	pool->data = &copy->data;
	pool->source = PGPS_SOURCE_DISCOVERY;
	pool->status = PGPS_GONE;
	pool->status_since = copy->data.last_seen;
	pool->used_pct = pool->fullest_pct = -1;
	pool->cap_known = true;
	pool->counters = copy->data.retired;
	pool->unclaimed = -1;
}

static void
finish_pool(PgpsPoolView *pool, TimestampTz now)
{
	PgpsDay		week;

	if (pool->source == PGPS_SOURCE_POOLER)
		take_pooler_xacts(&pool->counters);

	/* a partial sum of maxima would be worse than none */
	if (!pool->cap_known || pool->live == 0)
		pgps_unset(&pool->sum, PGPS_MAX_SIZE);
	pool->used_pct = pgps_used_pct(&pool->sum);
	pool->peak_connections = Max(pool->data->peak_connections,
								 pool->connections);
	pool->peak_connections_at = pool->data->peak_connections_at;
	pool->peak_instances = Max(pool->data->peak_instances, pool->live);
	week = pgps_week(pool->data, now);
	pool->peak_lent = Max(week.lent, pool->lent);
	pool->peak_committed = Max(week.committed, pool->committed);
}

/* Live instances first, then by name */
static int
compare_instances(const void *a, const void *b)
{
	const PgpsInstanceView *x = *(PgpsInstanceView *const *) a;
	const PgpsInstanceView *y = *(PgpsInstanceView *const *) b;

	if (x->live != y->live)
		return x->live ? -1 : 1;
	return strcmp(x->data->name, y->data->name);
}

static PgpsSnapshot *
make_snapshot(const PgpsCopy *copy, const PgpsRejections *rejections)
{
	PgpsSnapshot *snapshot = palloc0(sizeof(PgpsSnapshot));
	PgpsPoolView **pool_by_index;
	PgpsInstanceView **next;
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
	snapshot->ninstances = copy->ninstances;
	snapshot->instances = palloc_extended(Max(copy->ninstances, 1) *
										  sizeof(PgpsInstanceView),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	snapshot->max_instance = copy->max_instance;
	snapshot->npools = copy->npools;
	snapshot->pools = palloc0(Max(copy->npools, 1) * sizeof(PgpsPoolView));

	snapshot->by_index = palloc0(copy->max_instance * sizeof(PgpsInstanceView *));
	for (i = 0; i < copy->ninstances; i++)
	{
		PgpsInstanceView *view = &snapshot->instances[i];

		view->copy = &copy->instances[i];
		view->data = &copy->instances[i].data;
		if (view->data->via[0] != '\0')
		{
			view->via = view->data->via;
			view->server.via_pooler = true;
		}
		snapshot->by_index[copy->instances[i].index] = view;
	}
	see_backends(snapshot);

	pool_by_index = palloc(copy->max_pool * sizeof(PgpsPoolView *));
	for (i = 0; i < copy->npools; i++)
	{
		start_pool(&snapshot->pools[i], &copy->pools[i]);
		pool_by_index[copy->pools[i].index] = &snapshot->pools[i];
	}
	for (i = 0; i < copy->ninstances; i++)
	{
		PgpsInstanceView *view = &snapshot->instances[i];
		PgpsPoolView *pool = pool_by_index[view->data->pool];

		view->pool = pool;
		judge_view(snapshot, view);
		pool->reported |= view->live && view->now.reported;
		pool->ninstances++;
	}

	next = palloc(Max(copy->ninstances, 1) * sizeof(PgpsInstanceView *));
	for (i = 0; i < copy->npools; i++)
	{
		snapshot->pools[i].instances = next;
		next += snapshot->pools[i].ninstances;
		snapshot->pools[i].ninstances = 0;
	}
	for (i = 0; i < copy->ninstances; i++)
	{
		PgpsInstanceView *view = &snapshot->instances[i];
		PgpsPoolView *pool = pool_by_index[view->data->pool];

		pool->instances[pool->ninstances++] = view;
		roll_up(pool, view);
	}
	for (i = 0; i < copy->npools; i++)
	{
		PgpsPoolView *pool = &snapshot->pools[i];

		qsort(pool->instances, pool->ninstances, sizeof(PgpsInstanceView *),
			  compare_instances);
		finish_pool(pool, snapshot->taken_at);
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
	return make_snapshot(pgps_registry_copy(histograms),
						 pgps_rejections_copy());
}

/* The same with counters as exporters get them */
PgpsSnapshot *
pgps_take_exported_snapshot(void)
{
	PgpsCopy   *copy = pgps_registry_copy(PGPS_NO_HISTOGRAMS);
	PgpsRejections *rejections = pgps_rejections_copy();

	pgps_leave_out_base(copy);
	pgps_rejections_leave_out_base(rejections);
	return make_snapshot(copy, rejections);
}
