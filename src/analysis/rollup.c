/*-------------------------------------------------------------------------
 *
 * rollup.c
 *	  From the instances of a pool to the pool.
 *
 * Pure functions: no shared memory, no lock, no clock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "analysis/rollup.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/status.h"

/* Behind a pooler transactions are known if the pooler reports them. */
void
pgps_take_pooler_xacts(PgpsCounters *counters)
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
	pgps_unset_count(counters, PGPS_IN_XACT_TIME);
	pgps_unset_count(counters, PGPS_IDLE_IN_XACT_TIME);
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
 * Connections that an instance holds beyond its maximum; 0 if that is unknown.
 * Connections that were made only to report are not the pool's.
 */
int64
pgps_over_capacity(const PgpsInstanceState *state)
{
	int64		held = state->server.connections - state->server.reporters;

	if (state->server.labelled == 0 || state->server.via_pooler ||
		!pgps_known(&state->now.shown, PGPS_MAX_SIZE))
		return 0;
	return Max(held - state->now.shown.value[PGPS_MAX_SIZE], 0);
}

/*
 * How many connections a live instance may ask this server for: its maximum,
 * or what it holds if that is more or the maximum is unknown.  Behind a pooler
 * that is not polled it is what is here.  The pools of a polled pooler claim
 * for those behind it.
 *
 * A discovered instance claims nothing: its connections may belong to a pool
 * that reports and has no label.  So unlabelled connections, and connections
 * that are reported but not seen, are counted apart here and compared by role
 * and database in commitments.c.
 */
static void
commit(PgpsPoolState *pool, const PgpsInstanceState *state)
{
	const PgpsValues *shown = &state->now.shown;
	int64		here = state->server.connections - state->server.pooled;
	int64		asks = pgps_get(shown, PGPS_MAX_SIZE, pgps_get(shown, PGPS_OPEN, 0));
	bool		uncapped = !pgps_known(shown, PGPS_MAX_SIZE);
	int64		open;

	/*
	 * it has never reported again, nothing is here, and it is late: it is
	 * over
	 */
	if (state->now.reported && state->now.late && state->data->nintervals == 0 &&
		state->server.connections == 0)
		return;

	if (state->data->source == PGPS_SOURCE_DISCOVERY)
	{
		pool->unlabelled += here;
		pool->discovered += here > 0;
		return;
	}
	if (state->data->source == PGPS_SOURCE_POOLER)
	{
		if (state->data->seen_here)
		{
			pool->committed += asks;
			pool->uncapped += uncapped;
		}
		return;
	}
	if (state->via != NULL || state->data->other)
	{
		pool->committed += here;
		pool->behind += asks;
		pool->behind_uncapped += uncapped;
		return;
	}

	open = state->now.reported ? pgps_get(shown, PGPS_OPEN, 0) : 0;
	asks = Max(Max(open, here), pgps_get(shown, PGPS_MAX_SIZE, 0));
	pool->missing += Max(open - here, 0);
	pool->committed += asks;
	if (state->now.reported && state->data->nintervals == 0 && here == 0)
		pool->unproven += asks;
	pool->uncapped += uncapped;
}

static void
add_known(PgpsValues *sum, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
		pgps_set(sum, f, pgps_add_saturated(pgps_get(sum, f, 0), v->value[f]));
}

/* Add one instance to its pool. */
void
pgps_roll_up(PgpsPoolState *pool, PgpsInstanceState *state)
{
	const PgpsValues *shown = &state->now.shown;
	double		pct;
	int			f;

	pgps_counters_add(&pool->counters, &state->data->counters);
	if (state->data->base.known != 0)
		pgps_counters_add(&pool->base, &state->data->base);
	pool->source = Max(pool->source, (PgpsSource) state->data->source);
	pool->last_report = Max(pool->last_report, state->data->last_report);
	if (!state->live && !state->data->other)
	{
		if (pool->status == PGPS_GONE &&
			state->data->last_seen >= pool->status_since)
		{
			pool->status_since = state->data->last_seen;
			pool->left_in_order = pgps_instance_left_in_order(state->data);
		}
		pool->gone++;
		return;
	}

	pool->connections += state->server.connections;
	pool->reporters += state->server.reporters;
	pool->in_xact += state->server.in_xact;
	pool->idle_in_xact += state->server.idle_in_xact;
	pool->memory += state->server.memory;
	pool->memory_sampled += state->server.memory_sampled;
	commit(pool, state);
	if (state->data->other)
		return;
	if (pool->via == NULL)
		pool->via = state->via;

	/*
	 * The unlabelled connections of a pool that reports are those of its
	 * reports, not one more instance.
	 */
	if (pool->reported && state->data->source == PGPS_SOURCE_DISCOVERY)
		return;

	state->counts = true;
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
		pool->fullest = state;
	}
	if (state->now.status > pool->status ||
		(state->now.status == pool->status &&
		 state->status_since < pool->status_since))
	{
		pool->status = state->now.status;
		pool->status_since = state->status_since;
	}
	pool->exhausted += state->now.status == PGPS_EXHAUSTED;
	pool->silent += state->now.status == PGPS_SILENT;
	pool->reporting += state->now.reported;
	if (state->now.unclaimed >= 0)
		pool->unclaimed = Max(pool->unclaimed, 0) + state->now.unclaimed;
}

/* Nothing is known of its instances as yet. */
void
pgps_start_pool(PgpsPoolState *pool, const PgpsPoolCopy *copy)
{
	pool->copy = copy;
	pool->data = &copy->data;
	pool->source = PGPS_SOURCE_DISCOVERY;
	pool->status = PGPS_GONE;
	pool->status_since = copy->data.last_seen;
	pool->left_in_order = copy->data.left_in_order;
	pool->used_pct = pool->fullest_pct = -1;
	pool->cap_known = true;
	pool->counters = copy->data.retired;
	pool->base = copy->data.base;
	pool->unclaimed = -1;
}

/*
 * Nothing is known of what a pool uses that has had no connection here: it only
 * reports, or a pooler tells of it.
 */
static void
take_usage(PgpsPoolState *pool)
{
	int			i;

	if (pool->connections > 0 ||
		pgps_count(&pool->counters, PGPS_CONNECTS, 0) > 0)
		return;
	for (i = 0; i < PGPS_NUSED; i++)
	{
		if (pgps_count(&pool->counters, PGPS_CPU_TIME + i, 0) > 0)
			return;
	}
	for (i = 0; i < PGPS_NUSED; i++)
		pgps_unset_count(&pool->counters, PGPS_CPU_TIME + i);
}

/* All its instances are added. */
void
pgps_finish_pool(PgpsPoolState *pool, TimestampTz now)
{
	PgpsDay		week;

	if (pool->source == PGPS_SOURCE_POOLER)
		pgps_take_pooler_xacts(&pool->counters);

	take_usage(pool);
	pool->only_reports = pool->source < PGPS_SOURCE_POOLER &&
		pool->connections == pool->reporters &&
		pgps_count(&pool->counters, PGPS_CONNECTS, 0) > 0 &&
		pgps_count(&pool->counters, PGPS_DISCONNECTS, 0) ==
		pgps_count(&pool->counters, PGPS_REPORT_SESSIONS, 0);

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

/*
 * Has a pool no live instance, although the last one did not end in order?  A
 * pool that stands for those without room is none.
 */
bool
pgps_is_missing(const PgpsPoolState *pool)
{
	return pool->live == 0 && !pool->left_in_order &&
		strcmp(pool->data->key.name, PGPS_OTHER) != 0;
}

/* Counters as exporters get them, see registry/restore.c */
void
pgps_exported_counters(PgpsCounters *exported, const PgpsCounters *counters,
					   const PgpsCounters *base, PgpsSource source)
{
	*exported = *counters;
	pgps_counters_subtract(exported, base);
	if (source == PGPS_SOURCE_POOLER)
		pgps_take_pooler_xacts(exported);
}
