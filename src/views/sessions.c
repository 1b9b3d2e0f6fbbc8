/*-------------------------------------------------------------------------
 *
 * sessions.c
 *	  The functions behind the views sessions and disconnects.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/elog.h"

#include "analysis/snapshot.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/life.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejections.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"

PG_FUNCTION_INFO_V1(pgps_get_sessions);
PG_FUNCTION_INFO_V1(pgps_get_disconnects);

#define SESSION_COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	/* now */ \
	C(connections, int8, pool->connections) \
	C(tls_connections, int8, tls[pool - snapshot->pools]) \
	/* made */ \
	C(connects, count, &counters, PGPS_CONNECTS) \
	C(connect_time_p50, ms, pgps_sessions_percentile(sessions->connect.count, 0.50)) \
	C(connect_time_p95, ms, pgps_sessions_percentile(sessions->connect.count, 0.95)) \
	C(auth_time_p95, ms, pgps_sessions_percentile(sessions->auth.count, 0.95)) \
	C(client_connect_time, ms, client_connect_time(&counters)) \
	/* ended */ \
	C(disconnects, count, &counters, PGPS_DISCONNECTS) \
	C(sessions_abandoned, count, &counters, PGPS_SESSIONS_ABANDONED) \
	C(sessions_fatal, count, &counters, PGPS_SESSIONS_FATAL) \
	C(sessions_killed, count, &counters, PGPS_SESSIONS_KILLED) \
	C(session_age_p50, ms, median_age(sessions)) \
	C(session_age_max, ms, sessions->max_age > 0 ? sessions->max_age : -1) \
	C(xacts_per_session, float8, sessions->work_sessions > 0 ? (double) sessions->work_xacts / sessions->work_sessions : -1) \
	/* refused */ \
	C(rejected_limits, int8, pgps_pool_rejected(pool->data, &names, rejections, PGPS_BY_LIMIT)) \
	C(rejected_logins, int8, pgps_pool_rejected(pool->data, &names, rejections, PGPS_AT_LOGIN)) \
	C(rejected_unavailable, int8, pgps_pool_rejected(pool->data, &names, rejections, PGPS_UNAVAILABLE))

#define DISCONNECT_COLUMNS(C) \
	C(pool, text, pool->data->key.name) \
	C(datname, name, names.database) \
	C(usename, name, names.role) \
	C(reason, text, pgps_end_reason_name(ends->reason)) \
	C(sqlstate, text, ends->sqlstate != 0 ? unpack_sql_state(ends->sqlstate) : NULL) \
	C(in_xact, bool, ends->reason != PGPS_END_CRASH ? ends->in_xact : -1) \
	C(count, int8, ends->count) \
	C(last_at, time, ends->last_at) \
	C(last_pid, int4, ends->last_pid != 0 ? ends->last_pid : -1)

/* Connections under TLS, by pool */
static int *
count_tls(const PgpsSnapshot *snapshot)
{
	int		   *tls = palloc0(Max(snapshot->npools, 1) * sizeof(int));
	int			i;

	for (i = 0; i < snapshot->nbackends; i++)
	{
		const PgpsBackend *backend = &snapshot->backends[i];
		const PgpsInstanceState *state = pgps_instance_of(snapshot, backend);

		if (backend->tls && state != NULL)
			tls[state->pool - snapshot->pools]++;
	}
	return tls;
}

/* Mean of the connections that the library made, microseconds */
static double
client_connect_time(const PgpsCounters *counters)
{
	int64		made = pgps_count(counters, PGPS_CREATED, 0) -
		pgps_count(counters, PGPS_NOT_CREATED, 0);

	return made <= 0 ? -1 :
		(double) pgps_count(counters, PGPS_CREATE_TIME, -1) / made;
}

/* Ages are counted in milliseconds. */
static double
median_age(const PgpsSessions *sessions)
{
	double		age = pgps_sessions_percentile(sessions->age, 0.50);

	return age < 0 ? -1 : Min(1000 * age, sessions->max_age);
}

/* get_sessions(exported boolean): exporters get no pooler's pools, as of usage */
Datum
pgps_get_sessions(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(SESSION_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	const PgpsRejections *rejections = PG_GETARG_BOOL(0) ?
		pgps_exported_rejections(fcinfo) : snapshot->rejections;
	const int  *tls = count_tls(snapshot);
	PgpsSessions *sessions = palloc(sizeof(PgpsSessions));
	const PgpsPoolState *pool = NULL;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		PgpsNames	names = pgps_names(pool->data);
		PgpsCounters counters = pool->counters;

		CHECK_FOR_INTERRUPTS();
		if (PG_GETARG_BOOL(0) && pool->source == PGPS_SOURCE_POOLER)
			continue;
		if (PG_GETARG_BOOL(0))
			pgps_exported_counters(&counters, &pool->counters, &pool->base,
								   pool->source);
		pgps_sessions_copy(sessions, pool->copy);
		PGPS_PUT_ROW(SESSION_COLUMNS);
	}
	return (Datum) 0;
}

/* As exporters get them: without what was counted before a crash */
static void
leave_out_base(PgpsSessions *sessions)
{
	int			i;

	for (i = 0; i < PGPS_ENDS; i++)
	{
		PgpsEnds   *ends = &sessions->ends[i];
		int64	   *base = &sessions->base[ends->reason];
		int64		less = Min(ends->count, *base);

		ends->count -= less;
		*base -= less;
	}
}

/* get_disconnects(exported boolean) */
Datum
pgps_get_disconnects(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_VIEW(DISCONNECT_COLUMNS);
	const PgpsSnapshot *snapshot = pgps_snapshot(fcinfo, PGPS_NO_HISTOGRAMS);
	PgpsSessions *sessions = palloc(sizeof(PgpsSessions));
	const PgpsPoolState *pool = NULL;
	int			i;

	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		PgpsNames	names = pgps_names(pool->data);

		CHECK_FOR_INTERRUPTS();
		pgps_sessions_copy(sessions, pool->copy);
		if (PG_GETARG_BOOL(0))
			leave_out_base(sessions);
		for (i = 0; i < PGPS_ENDS; i++)
		{
			const PgpsEnds *ends = &sessions->ends[i];

			if (ends->count > 0)
				PGPS_PUT_ROW(DISCONNECT_COLUMNS);
		}
	}
	return (Datum) 0;
}
