/*-------------------------------------------------------------------------
 *
 * views.c
 *	  The functions behind the views instances and pools; who sees what.
 *
 * Privileges and Datums only.  A role sees the rows of the roles it has the
 * privileges of; members of pg_read_all_stats see all.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "base/compat.h"
#include "base/settings.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/views.h"

/* so many before we say that nothing is pooled */
#define MANY_CONNECTS 20

PG_FUNCTION_INFO_V1(pgps_get_instances);
PG_FUNCTION_INFO_V1(pgps_get_pools);

bool
pgps_sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

bool
pgps_may_see(Oid roleid, bool sees_all)
{
	return sees_all ||
		(OidIsValid(roleid) && has_privs_of_role(GetUserId(), roleid));
}

/* Names of now; of then, if role or database is dropped. */
const char *
pgps_role_name(const PgpsPool *pool)
{
	char	   *name = GetUserNameFromId(pool->key.roleid, true);

	return name ? name : NameStr(pool->usename);
}

const char *
pgps_database_name(const PgpsPool *pool)
{
	char	   *name = OidIsValid(pool->key.dbid) ?
		get_database_name(pool->key.dbid) : NULL;

	return name ? name : NameStr(pool->datname);
}

const char *
pgps_source_name(PgpsSource source)
{
	static const char *const names[] = {
		"discovery", "label", "pooler", "report"
	};

	return names[source];
}

static void
put_unlimited(PgpsRow *row, const PgpsValues *v)
{
	if (pgps_known(v, PGPS_UNLIMITED))
		pgps_put_bool(row, v->value[PGPS_UNLIMITED] != 0);
	else
		pgps_put_null(row);
}

static void
put_percentile(PgpsRow *row, const uint64 *histogram, double fraction)
{
	double		time = pgps_percentile(histogram, fraction);

	if (time >= 0)
		pgps_put_float8(row, time / 1000.0);
	else
		pgps_put_null(row);
}

/* What a reader should know of an instance and no column says */
static const char *
instance_notes(const PgpsInstanceView *view)
{
	const PgpsInstance *data = view->data;
	const PgpsValues *shown = &view->now.shown;
	int64		ended = pgps_count(&data->counters, PGPS_WORK_SESSIONS, 0);
	int64		reports = pgps_count(&data->counters, PGPS_DISCONNECTS, 0) - ended;
	int64		xacts = Max(pgps_count(&data->counters, PGPS_SERVER_XACTS, 0) - reports, 0);
	StringInfoData notes;

	initStringInfo(&notes);
	if (data->other)
		pgps_note(&notes, "stands for instances without room of their own");
	if (data->source == PGPS_SOURCE_POOLER && !data->seen_here)
		pgps_note(&notes, "none of its connections was seen here");
	if (data->carry.shared)
		pgps_note(&notes, "several processes report under this name; its counters stand still");
	if (data->fork_shared)
		pgps_note(&notes, "shares a connection with another process of its host: was the pool made before a fork?");
	if (view->now.ghosts > 0)
		pgps_note(&notes, psprintf("claims " INT64_FORMAT " connections that are not here",
								   view->now.ghosts));
	if (pgps_over_capacity(view) > 0)
		pgps_note(&notes, psprintf("holds %d connections, its maximum is " INT64_FORMAT,
								   view->server.connections - view->server.reporters,
								   shown->value[PGPS_MAX_SIZE]));
	if (ended >= MANY_CONNECTS && xacts < PGPS_POOLED_XACTS * ended)
		pgps_note(&notes, psprintf("hardly pools: about " INT64_FORMAT " transactions a connection, which lasts %.1f s",
								   (xacts + ended / 2) / ended,
								   pgps_count(&data->counters, PGPS_SESSION_TIME, 0) / 1000000.0 / ended));
	if (pgps_known(&data->label, PGPS_POOL_SIZE) &&
		pgps_known(&data->reported, PGPS_POOL_SIZE) &&
		data->label.value[PGPS_POOL_SIZE] != data->reported.value[PGPS_POOL_SIZE])
		pgps_note(&notes, psprintf("label says pool_size " INT64_FORMAT,
								   data->label.value[PGPS_POOL_SIZE]));
	if (view->now.reported && !data->labelled && !data->elsewhere &&
		!data->other && view->via == NULL && data->source == PGPS_SOURCE_REPORT)
		pgps_note(&notes, "no connection here has had its label: label its connections");
	return notes.data;
}

static void
put_instance(PgpsRow *row, const PgpsPool *pool, const PgpsInstanceView *view,
			 const PgpsRejections *rejections)
{
	const PgpsInstance *data = view->data;
	const PgpsValues *shown = &view->now.shown;
	const PgpsCounters *counters = &view->counters;
	int64		interval = pgps_median_interval(data->intervals,
												data->nintervals);

	/* identity */
	pgps_put_text(row, pool->key.name);
	pgps_put_text(row, data->name);
	pgps_put_name(row, pgps_database_name(pool));
	pgps_put_name(row, pgps_role_name(pool));
	pgps_put_text(row, pgps_source_name(data->source));
	pgps_put_text(row, view->via);
	pgps_put_text(row, pgps_status_name(view->now.status));
	pgps_put_time(row, view->status_since);
	pgps_put_address(row, data->client_addr);
	pgps_put_text(row, data->dialect);
	pgps_put_text(row, data->app_version);

	/* capacity */
	pgps_put_figure4(row, shown, PGPS_POOL_SIZE);
	pgps_put_figure4(row, shown, PGPS_MAX_OVERFLOW);
	pgps_put_figure4(row, shown, PGPS_MAX_SIZE);
	put_unlimited(row, shown);
	pgps_put_figure4(row, shown, PGPS_MIN_SIZE);

	/* use */
	pgps_put_figure4(row, shown, PGPS_OPEN);
	pgps_put_figure4(row, shown, PGPS_CHECKED_OUT);
	pgps_put_figure4(row, shown, PGPS_CHECKED_IN);
	pgps_put_figure4(row, shown, PGPS_OVERFLOW);
	pgps_put_figure4(row, shown, PGPS_WAITING);
	pgps_put_figure_ms(row, shown, PGPS_MAX_WAIT);
	pgps_put_pct(row, pgps_used_pct(shown));
	pgps_put_time(row, data->last_report);

	/* server's truth */
	pgps_put_int4(row, view->server.connections);
	pgps_put_int4(row, view->server.in_xact);
	pgps_put_int4(row, view->server.idle_in_xact);
	pgps_put_known4(row, view->now.unclaimed);
	pgps_put_int4(row, view->copy->activity.peak_in_xact);
	pgps_put_time(row, view->copy->activity.peak_in_xact_at);
	pgps_put_count(row, counters, PGPS_EXHAUSTED_COUNT);
	pgps_put_count_ms(row, counters, PGPS_EXHAUSTED_TIME);

	/* counters */
	pgps_put_count(row, counters, PGPS_CHECKOUTS);
	pgps_put_count(row, counters, PGPS_WAITS);
	pgps_put_count_ms(row, counters, PGPS_TOTAL_WAIT_TIME);
	pgps_put_mean_ms(row, counters, PGPS_TOTAL_WAIT_TIME, PGPS_WAIT_EVENTS);
	pgps_put_count(row, counters, PGPS_TIMEOUTS);
	pgps_put_count(row, counters, PGPS_ERRORS);
	pgps_put_count(row, counters, PGPS_SERVER_XACTS);
	pgps_put_count_ms(row, counters, PGPS_XACT_TIME);
	pgps_put_mean_ms(row, counters, PGPS_XACT_TIME, PGPS_SERVER_XACTS);
	put_percentile(row, view->copy->activity.histogram, 0.50);
	put_percentile(row, view->copy->activity.histogram, 0.95);
	put_percentile(row, view->copy->activity.histogram, 0.99);
	pgps_put_count(row, counters, PGPS_CONNECTS);
	pgps_put_count(row, counters, PGPS_DISCONNECTS);
	pgps_put_int8(row, pgps_rejected(rejections,
									 pgps_instance_hash(pgps_role_name(pool),
														pgps_database_name(pool),
														pool->key.name,
														data->name)).count);

	/* times */
	pgps_put_time(row, data->last_report);
	if (data->nintervals > 0)
		pgps_put_float8(row, interval / 1000.0);
	else
		pgps_put_null(row);
	pgps_put_time(row, data->first_seen);
	pgps_put_texts(row, data->unmapped, sizeof(data->unmapped));
	pgps_put_text(row, instance_notes(view));
	pgps_row_end(row);
}

Datum
pgps_get_instances(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	bool		sees_all;
	int			i,
				j;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = PG_GETARG_BOOL(0) ? pgps_take_exported_snapshot() :
		pgps_take_snapshot(PGPS_ALL_XACTS);
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];

		if (!pgps_may_see(pool->data->key.roleid, sees_all))
			continue;
		for (j = 0; j < pool->ninstances; j++)
			put_instance(&row, pool->data, pool->instances[j],
						 snapshot->rejections);
	}
	return (Datum) 0;
}

/* How one instance is configured: "5+10", "20", "unlimited", "?" */
static char *
instance_config(const PgpsValues *shown)
{
	if (pgps_get(shown, PGPS_UNLIMITED, 0) == 1)
		return "unlimited";
	if (pgps_get(shown, PGPS_MAX_OVERFLOW, 0) > 0 &&
		pgps_known(shown, PGPS_POOL_SIZE))
		return psprintf(INT64_FORMAT "+" INT64_FORMAT,
						shown->value[PGPS_POOL_SIZE],
						shown->value[PGPS_MAX_OVERFLOW]);
	if (pgps_known(shown, PGPS_MAX_SIZE))
		return psprintf(INT64_FORMAT, shown->value[PGPS_MAX_SIZE]);
	return "?";
}

/*
 * How a pool's live instances are configured: "9 x 5+10, 3 x 20", the most
 * frequent first.
 */
const char *
pgps_pool_config(const PgpsPoolView *pool)
{
	StringInfoData text;
	char	  **kinds = palloc(Max(pool->ninstances, 1) * sizeof(char *));
	int		   *counts = palloc0(Max(pool->ninstances, 1) * sizeof(int));
	int			n = 0,
				i,
				j;

	initStringInfo(&text);
	for (i = 0; i < pool->ninstances; i++)
	{
		char	   *kind;

		if (!pool->instances[i]->counts)
			continue;
		kind = instance_config(&pool->instances[i]->now.shown);
		for (j = 0; j < n && strcmp(kinds[j], kind) != 0; j++)
			;
		if (j == n)
			kinds[n++] = kind;
		counts[j]++;
	}

	for (i = 0; i < n; i++)
	{
		int			most = 0;

		for (j = 1; j < n; j++)
		{
			if (counts[j] > counts[most])
				most = j;
		}
		appendStringInfo(&text, "%s%d x %s", i > 0 ? ", " : "",
						 counts[most], kinds[most]);
		counts[most] = 0;
	}
	return text.data;
}

/*
 * How many connections of a pool were refused.  A label that a role has by
 * ALTER ROLE is not known yet when it is refused: it is looked up now.
 */
static uint64
pool_rejected(const PgpsPoolView *pool, const PgpsRejections *rejections)
{
	const char *role = pgps_role_name(pool->data);
	const char *database = pgps_database_name(pool->data);
	uint64		count = pgps_rejected(rejections,
									  pgps_pool_hash(role, database,
													 pool->data->key.name)).count;
	uint64		unlabelled = pgps_rejected(rejections,
										   pgps_unlabelled_hash(role, database)).count;
	char	   *label;

	if (unlabelled == 0)
		return count;
	label = pgps_role_label(pool->data->key.roleid, pool->data->key.dbid);
	if (label != NULL && strcmp(label, pool->data->key.name) == 0)
		count += unlabelled;
	return count;
}

static void
put_pool(PgpsRow *row, const PgpsPoolView *pool,
		 const PgpsRejections *rejections, TimestampTz now)
{
	const PgpsValues *sum = &pool->sum;
	const PgpsCounters *counters = &pool->counters;
	int8		digits[PGPS_DIGITS];

	/* identity and status */
	pgps_put_text(row, pool->data->key.name);
	pgps_put_name(row, pgps_database_name(pool->data));
	pgps_put_name(row, pgps_role_name(pool->data));
	pgps_put_text(row, pgps_source_name(pool->source));
	pgps_put_text(row, pool->via);
	pgps_put_text(row, pgps_status_name(pool->status));
	pgps_put_time(row, pool->status_since);

	/* capacity */
	pgps_put_int4(row, pool->live);
	pgps_put_text(row, pgps_pool_config(pool));
	pgps_put_figure8(row, sum, PGPS_POOL_SIZE);
	pgps_put_figure8(row, sum, PGPS_MAX_OVERFLOW);
	pgps_put_figure8(row, sum, PGPS_MAX_SIZE);
	put_unlimited(row, sum);

	/* use */
	pgps_put_figure8(row, sum, PGPS_OPEN);
	pgps_put_figure8(row, sum, PGPS_CHECKED_OUT);
	pgps_put_figure8(row, sum, PGPS_CHECKED_IN);
	pgps_put_figure8(row, sum, PGPS_OVERFLOW);
	pgps_put_figure8(row, sum, PGPS_WAITING);
	pgps_put_figure_ms(row, sum, PGPS_MAX_WAIT);
	pgps_put_pct(row, pool->used_pct);
	pgps_put_pct(row, pool->fullest_pct);
	pgps_put_text(row, pool->fullest ? pool->fullest->data->name : NULL);
	pgps_put_int4(row, pool->exhausted);
	pgps_put_int4(row, pool->silent);
	pgps_put_int4(row, pool->gone);
	pgps_put_int4(row, pool->reporting);

	/* server's truth */
	pgps_put_int8(row, pool->connections);
	pgps_put_int8(row, pool->in_xact);
	pgps_put_int8(row, pool->idle_in_xact);
	if (pool->unclaimed >= 0)
		pgps_put_int8(row, pool->unclaimed);
	else
		pgps_put_null(row);
	pgps_put_int4(row, pool->peak_connections);
	pgps_put_time(row, pool->peak_connections_at);
	pgps_put_int4(row, pool->peak_instances);

	/* counters */
	pgps_put_count(row, counters, PGPS_CHECKOUTS);
	pgps_put_count(row, counters, PGPS_WAITS);
	pgps_put_count_ms(row, counters, PGPS_TOTAL_WAIT_TIME);
	pgps_put_mean_ms(row, counters, PGPS_TOTAL_WAIT_TIME, PGPS_WAIT_EVENTS);
	pgps_put_count(row, counters, PGPS_TIMEOUTS);
	pgps_put_count(row, counters, PGPS_ERRORS);
	pgps_put_count(row, counters, PGPS_SERVER_XACTS);
	pgps_put_count_ms(row, counters, PGPS_XACT_TIME);
	pgps_put_mean_ms(row, counters, PGPS_XACT_TIME, PGPS_SERVER_XACTS);
	pgps_put_count(row, counters, PGPS_CONNECTS);
	pgps_put_count(row, counters, PGPS_DISCONNECTS);
	pgps_put_int8(row, pool_rejected(pool, rejections));

	/* times */
	pgps_put_time(row, pool->last_report);
	pgps_put_time(row, pool->data->first_seen);
	pgps_last_hour(pool->copy, now, digits);
	pgps_put_text(row, pgps_digits_text(digits));
	pgps_row_end(row);
}

Datum
pgps_get_pools(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = PG_GETARG_BOOL(0) ? pgps_take_exported_snapshot() :
		pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	sees_all = pgps_sees_all();
	for (i = 0; i < snapshot->npools; i++)
	{
		if (pgps_may_see(snapshot->pools[i].data->key.roleid, sees_all))
			put_pool(&row, &snapshot->pools[i], snapshot->rejections,
					 snapshot->taken_at);
	}
	return (Datum) 0;
}
