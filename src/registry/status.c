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
 * Of a pool whose connections are known the server sees more than the pool
 * does: that they are gone, or that nobody uses them any more.
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

/* a standstill shorter than that may be a moment between two callers */
#define STANDSTILL (10 * USECS_PER_SEC)

const char *
pgps_status_name(PgpsStatus status)
{
	static const char *const names[] = {
		"gone", "ok", "full", "lost", "silent", "waiting", "exhausted",
		"stalled"
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

/*
 * Does nobody wait, when all is lent out?  So a pool says, or it is one of a
 * single connection: then a process has all that it can use.
 */
static bool
nobody_waits(const PgpsValues *shown)
{
	return pgps_known(shown, PGPS_WAITING) ? shown->value[PGPS_WAITING] == 0 :
		shown->value[PGPS_MAX_SIZE] == 1;
}

static PgpsStatus
health(const PgpsValues *shown)
{
	if (all_lent(shown))
		return nobody_waits(shown) ? PGPS_FULL : PGPS_EXHAUSTED;
	return pgps_get(shown, PGPS_WAITING, 0) > 0 ? PGPS_WAITING_STATUS : PGPS_OK;
}

/* What it reports is held against connections here, which are its own. */
static bool
is_seen_here(const PgpsReported *reported, const PgpsServerState *server)
{
	return reported->last_report != 0 && reported->labelled &&
		!reported->polled && !reported->elsewhere && !reported->multiplexed &&
		!reported->other && !server->via_pooler;
}

/*
 * Its last connection went after its last report, which so means nothing,
 * unless it said itself that none is open.
 */
static bool
has_left(const PgpsReported *reported, const PgpsServerState *server)
{
	return server->connections == 0 && is_seen_here(reported, server) &&
		reported->ended_at > reported->last_report &&
		!(pgps_known(&reported->report, PGPS_OPEN) &&
		  reported->report.value[PGPS_OPEN] == 0);
}

/*
 * Did reports and statements stop together, of somebody who used to report
 * without any statement in between?  Then its process is probably dead.  One
 * that could have been held up, because it was full or a statement runs, is not
 * judged.
 */
static bool
may_be_lost(const PgpsReported *reported, const PgpsServerState *server,
			PgpsStatus at_report)
{
	return is_seen_here(reported, server) && reported->by_timer &&
		server->connections > server->reporters && server->active == 0 &&
		(at_report == PGPS_OK || at_report == PGPS_FULL) &&
		server->last_statement <= reported->last_report + reported->report_interval;
}

/* When is the next report of it late? */
static TimestampTz
when_late(const PgpsReported *reported, TimestampTz started_at)
{
	TimestampTz since = Max(reported->last_report != 0 ?
							reported->last_report : reported->last_seen,
							started_at);

	return since + (reported->polled ?
					3 * (pgps_poll_interval + pgps_poll_timeout) * INT64CONST(1000) :
					pgps_late_after(reported->report_interval));
}

static void
judge(PgpsJudgement *out, const PgpsReported *reported, const PgpsServerState *server,
	  TimestampTz now, TimestampTz started_at)
{
	PgpsValues *shown = &out->shown;
	TimestampTz late_at = when_late(reported, started_at);
	PgpsStatus	at_report;
	bool		late;

	out->reported = reported->last_report != 0;
	*shown = reported->report;
	pgps_judge_cap(shown, reported);

	late = out->late = now > late_at;
	out->late_at = late_at;
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

	if (((late || reported->said_goodbye) && server->connections == 0) ||
		has_left(reported, server))
	{
		out->status = PGPS_GONE;
		if (!late)
			out->since = reported->last_seen;
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

	at_report = health(shown);
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
		out->status = all_lent(shown) && !nobody_waits(shown) ?
			PGPS_EXHAUSTED : PGPS_SILENT;
	}
	else if (reported->stalled_since != 0 &&
			 reported->last_report >= reported->stalled_since + STANDSTILL)
	{
		out->status = PGPS_STALLED;
		out->since = reported->stalled_since + STANDSTILL;
	}
	else
		out->status = at_report;

	if (late && !server->not_lost && may_be_lost(reported, server, at_report))
		out->status = late_at <= server->looked_at ? PGPS_LOST : at_report;
}

/*
 * Hold what the pool claims against what the server has, unless the report is
 * overtaken.  A connection that only reports is not the pool's.
 */
static void
reconcile(PgpsJudgement *out, const PgpsReported *reported,
		  const PgpsServerState *server)
{
	int64		here = server->connections - server->reporters;

	out->unclaimed = out->ghosts = -1;
	if (out->status == PGPS_GONE || !is_seen_here(reported, server))
		return;
	if (!out->late || server->last_xact <= reported->last_report)
		out->ghosts = reported->ghosts;
	if (!out->late && server->labelled > 0 &&
		pgps_known(&out->shown, PGPS_OPEN))
		out->unclaimed = Max(here - out->shown.value[PGPS_OPEN], 0);
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
