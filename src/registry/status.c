/*-------------------------------------------------------------------------
 *
 * status.c
 *	  From what was reported and what the server sees to the figures we show.
 *
 * A pool cannot report while it is exhausted, and an idle one has no reason
 * to.  So an old report is not forgotten: it holds as long as the server has
 * seen no transaction since.  When it has, the figures that can be derived
 * from the server's side are, and the others are unknown.  Of a pool that only
 * reports, because its connections have no label, the server sees nothing: when
 * its report is late, the last figures are all there is.
 *
 * Pure functions: no shared memory, no lock, no clock.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/settings.h"
#include "registry/status.h"

const char *
pgps_status_name(PgpsStatus status)
{
	static const char *const names[] = {
		"gone", "ok", "full", "silent", "waiting", "exhausted"
	};

	return names[status];
}

/* Age in microseconds at which a report is late */
int64
pgps_late_after(int64 report_interval)
{
	return Max(pgps_stale_after * USECS_PER_SEC, 3 * report_interval);
}

/*
 * The middle one of up to PGPS_INTERVALS values: one long pause, as in the
 * night, does not change how often an instance usually reports.
 */
int64
pgps_median_interval(const int64 *intervals, int n)
{
	int			i,
				j;

	for (i = 0; i < n; i++)
	{
		int			smaller = 0;

		for (j = 0; j < n; j++)
		{
			if (intervals[j] < intervals[i] ||
				(j < i && intervals[j] == intervals[i]))
				smaller++;
		}
		if (smaller == n / 2)
			return intervals[i];
	}
	return 0;
}

/* The cap: as reported, else as the label says. */
void
pgps_judge_cap(PgpsValues *shown, const PgpsReported *reported)
{
	static const PgpsField config[] = {
		PGPS_POOL_SIZE, PGPS_MAX_OVERFLOW, PGPS_UNLIMITED
	};
	int			i;

	for (i = 0; i < lengthof(config); i++)
	{
		if (!pgps_known(shown, config[i]) &&
			pgps_known(&reported->label, config[i]))
			pgps_set(shown, config[i], reported->label.value[config[i]]);
	}

	if (pgps_get(shown, PGPS_UNLIMITED, 0) == 1)
		pgps_unset(shown, PGPS_MAX_SIZE);
	else if (!pgps_known(shown, PGPS_MAX_SIZE) &&
			 pgps_known(shown, PGPS_POOL_SIZE) &&
			 (!pgps_known(&reported->report, PGPS_POOL_SIZE) ||
			  pgps_known(shown, PGPS_MAX_OVERFLOW)))
		pgps_set(shown, PGPS_MAX_SIZE,
				 pgps_cut_count(shown->value[PGPS_POOL_SIZE] +
								pgps_get(shown, PGPS_MAX_OVERFLOW, 0)));
	if (pgps_known(shown, PGPS_MAX_SIZE))
		pgps_set(shown, PGPS_UNLIMITED, 0);
}

/* Is everything that may be lent out lent out? */
static bool
all_lent(const PgpsValues *shown)
{
	return pgps_known(shown, PGPS_MAX_SIZE) &&
		shown->value[PGPS_MAX_SIZE] > 0 &&
		pgps_get(shown, PGPS_CHECKED_OUT, 0) >= shown->value[PGPS_MAX_SIZE];
}

static PgpsStatus
health(const PgpsValues *shown)
{
	if (all_lent(shown))
		return pgps_known(shown, PGPS_WAITING) &&
			shown->value[PGPS_WAITING] == 0 ? PGPS_FULL : PGPS_EXHAUSTED;
	return pgps_get(shown, PGPS_WAITING, 0) > 0 ? PGPS_WAITING_STATUS : PGPS_OK;
}

static void
judge(PgpsJudgement *out, const PgpsReported *reported, const PgpsServerState *server,
	  TimestampTz now, TimestampTz started_at)
{
	PgpsValues *shown = &out->shown;
	TimestampTz late_at;
	bool		late;

	out->reported = reported->last_report != 0;
	*shown = reported->report;
	pgps_judge_cap(shown, reported);

	late_at = Max(out->reported ? reported->last_report : reported->last_seen,
				  started_at);
	late_at += reported->polled ?
		3 * (pgps_poll_interval + pgps_poll_timeout) * INT64CONST(1000) :
		pgps_late_after(reported->report_interval);
	late = out->late = now > late_at;
	out->since = late ? late_at : out->reported ? reported->last_report : now;

	if (reported->other)
	{
		/* many instances in one row: only counters mean anything */
		out->status = PGPS_OK;
		return;
	}

	if (late && out->reported && !reported->polled && !reported->labelled &&
		!reported->said_goodbye)
	{
		out->status = PGPS_SILENT;
		return;
	}

	if ((late || reported->said_goodbye) && server->connections == 0)
	{
		out->status = PGPS_GONE;
		return;
	}

	if (!out->reported)
	{
		pgps_set(shown, PGPS_CHECKED_OUT, server->in_xact);
		pgps_set(shown, PGPS_OPEN, server->connections);
		out->status = health(shown);
		out->since = now;
		return;
	}

	if (late && server->last_xact > reported->last_report)
	{
		/*
		 * The report is overtaken.  What was lent stays lent until the server
		 * sees otherwise; how many it sees is only known if all connections
		 * of the instance say whose they are.
		 */
		if (server->labelled > 0)
		{
			int64		lent = pgps_get(shown, PGPS_CHECKED_OUT, 0);

			pgps_set(shown, PGPS_CHECKED_OUT,
					 Min(server->connections, Max(lent, server->in_xact)));
			pgps_set(shown, PGPS_OPEN, server->connections);
		}
		pgps_unset(shown, PGPS_CHECKED_IN);
		pgps_unset(shown, PGPS_OVERFLOW);
		pgps_unset(shown, PGPS_WAITING);
		pgps_unset(shown, PGPS_MAX_WAIT);
		out->status = all_lent(shown) ? PGPS_EXHAUSTED : PGPS_SILENT;
		return;
	}

	out->status = health(shown);
}

/*
 * Hold what the pool claims against what the server has.  Only for a fresh
 * report, and only if the connections of the instance say whose they are and
 * no pooler stands between.  A connection that only reports is not the pool's.
 */
static void
reconcile(PgpsJudgement *out, const PgpsReported *reported,
		  const PgpsServerState *server)
{
	int64		open;
	int64		here = server->connections - server->reporters;

	out->unclaimed = out->ghosts = -1;
	if (!out->reported || out->late || reported->other || server->via_pooler ||
		server->labelled == 0 || !pgps_known(&out->shown, PGPS_OPEN))
		return;
	open = out->shown.value[PGPS_OPEN];
	out->unclaimed = Max(here - open, 0);
	out->ghosts = Max(open - server->connections, 0);
}

/*
 * Judge one instance.  "started_at" is when the server started: before it,
 * nobody could report to it.
 */
void
pgps_judge(PgpsJudgement *out, const PgpsReported *reported,
		   const PgpsServerState *server, TimestampTz now,
		   TimestampTz started_at)
{
	PgpsValues *shown = &out->shown;

	judge(out, reported, server, now, started_at);

	reconcile(out, reported, server);
	if (!pgps_known(shown, PGPS_OVERFLOW) &&
		pgps_known(shown, PGPS_OPEN) && pgps_known(shown, PGPS_POOL_SIZE))
		pgps_set(shown, PGPS_OVERFLOW,
				 Max(shown->value[PGPS_OPEN] - shown->value[PGPS_POOL_SIZE], 0));
}
