/*-------------------------------------------------------------------------
 *
 * instance.c
 *	  What one instance remembers of its reports.
 *
 * Straight-line arithmetic on the data of one entry.  The caller holds its
 * spinlock: nothing here allocates, raises, waits or takes long.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "base/settings.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "dialects/pids.h"
#include "dialects/stats.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "registry/told.h"

/* so many of the last reports without a statement before are sent by a timer */
#define TIMER_REPORTS 3

/*
 * Take the figures of a report, but for its counters.  One report has all
 * gauges; configuration holds until another is reported.
 */
static void
take_values(PgpsInstance *data, const PgpsValues *v)
{
	bool		gauges = false;
	int			f;

	for (f = PGPS_FIRST_GAUGE; f < PGPS_FIRST_COUNTER; f++)
		gauges |= pgps_known(v, f);

	for (f = 0; f < PGPS_FIRST_COUNTER; f++)
	{
		if (pgps_known(v, f))
			pgps_set(&data->reported, f, v->value[f]);
		else if (PGPS_IS_GAUGE(f) && gauges)
			pgps_unset(&data->reported, f);
	}
	if (pgps_get(v, PGPS_UNLIMITED, 0) == 1)
		pgps_unset(&data->reported, PGPS_MAX_SIZE);
}

/*
 * Counters reported for the first time go on from what another row counted
 * before.  If they are below that they have begun again, and all of them
 * counts.
 */
static void
begin_counters(PgpsInstance *data, const PgpsValues *v,
			   const PgpsValues *counted)
{
	int			f;

	for (f = PGPS_FIRST_COUNTER; f < PGPS_NFIELDS; f++)
	{
		if (pgps_known(v, f) && pgps_known(counted, f) &&
			counted->value[f] <= v->value[f] &&
			!pgps_known(&data->carry.last, f))
		{
			pgps_set(&data->carry.last, f, counted->value[f]);
			pgps_set_count(&data->counters, f, 0);
		}
	}
}

/* Does it report whether it works or not? */
bool
pgps_instance_reports_by_timer(const PgpsInstance *data)
{
	return data->every > 0 ||
		pg_popcount32(data->quiet_reports) >= TIMER_REPORTS;
}

/* What judging an instance needs of it */
void
pgps_instance_reported(PgpsReported *reported, const PgpsInstance *data)
{
	reported->report = data->reported;
	reported->label = data->label;
	reported->last_report = data->last_report;
	reported->last_seen = data->last_seen;
	reported->report_interval = Max(data->every,
									pgps_median_interval(data->intervals,
														 data->nintervals));
	reported->said_goodbye = data->said_goodbye;
	reported->labelled = data->labelled;
	reported->multiplexed = data->multiplexed;
	reported->elsewhere = data->elsewhere;
	reported->ghosts = data->agreed ? data->ghosts : 0;
	reported->stalled_since = data->stalled_since;
	reported->ended_at = data->ended_at;
	reported->by_timer = pgps_instance_reports_by_timer(data);
	reported->polled = data->source == PGPS_SOURCE_POOLER;
	reported->other = data->other;
}

/*
 * How many connections were idle in the pool at most, in each part of the
 * last leak_after: one that has leaked is never among them.
 */
static int64
idle_part_length(void)
{
	return pgps_leak_after * USECS_PER_SEC / PGPS_IDLE_PARTS;
}

/* The most in all parts but the oldest ones, so many */
static int32
most_idle_but(const PgpsInstance *data, int64 oldest)
{
	int32		most = 0;
	int64		i;

	for (i = 0; i < PGPS_IDLE_PARTS - oldest; i++)
		most = Max(most, data->most_idle[i]);
	return most;
}

static void
note_idle(PgpsInstance *data, int32 idle, TimestampTz now)
{
	int64		length = idle_part_length();
	int64		part = now / length;
	int			i;

	/* parts of another length, or of a clock that was set back, are one */
	if (data->idle_part_length != length || part < data->idle_part)
	{
		idle = Max(idle, most_idle_but(data, 0));
		memset(data->most_idle, 0, sizeof(data->most_idle));
		data->idle_part_length = length;
		data->idle_part = part;
	}
	for (i = 0; i < PGPS_IDLE_PARTS && data->idle_part != part; i++)
	{
		memmove(&data->most_idle[1], &data->most_idle[0],
				(PGPS_IDLE_PARTS - 1) * sizeof(int32));
		data->most_idle[0] = 0;
		data->idle_part++;
	}
	data->idle_part = part;
	data->most_idle[0] = Max(data->most_idle[0], idle);
}

/* Most of them by the reports of the last leak_after; 0 if there were none */
int32
pgps_instance_most_idle(const PgpsInstance *data, TimestampTz now)
{
	int64		length = idle_part_length();

	return most_idle_but(data, data->idle_part_length != length ? 0 :
						 Max(now / length - data->idle_part, 0));
}

/* Which connections are lent out, by number and by name */
static void
take_books(PgpsInstance *data, const PgpsStats *stats, int32 attached,
		   TimestampTz now)
{
	if (pgps_known(&stats->values, PGPS_CHECKED_IN) &&
		pgps_known(&stats->values, PGPS_CHECKED_OUT))
	{
		data->books_at = now;
		note_idle(data, stats->values.value[PGPS_CHECKED_IN], now);
	}
	if (stats->lent.reported || stats->idle.reported)
	{
		data->pids_at = now;
		data->pids_lent = stats->lent.reported;
	}
	if (Max(data->books_at, data->pids_at) == now)
	{
		data->attached = attached;
		data->reported_by = MyProcPid;
	}
}

/* How long it has been between two reports lately */
static void
note_interval(PgpsInstance *data, TimestampTz now)
{
	memmove(&data->intervals[1], &data->intervals[0],
			(PGPS_INTERVALS - 1) * sizeof(int64));
	data->intervals[0] = Max(now - data->last_report, 0);
	data->nintervals = Min(data->nintervals + 1, PGPS_INTERVALS);
}

/*
 * What it says is lent out, and is not here.  That means something only if all
 * that it had open was here once, and not for more than have gone: behind an
 * address of several servers the others have the rest.
 */
static void
take_ghosts(PgpsInstance *data, const PgpsValues *v, int32 attached)
{
	int64		open = pgps_get(&data->reported, PGPS_OPEN, 0);
	int64		lent = pgps_get(&data->reported, PGPS_CHECKED_OUT, 0);
	int32		before = data->missing;

	if (!pgps_known(v, PGPS_CHECKED_OUT))
		return;					/* nothing new */
	if (open > 0 && (open == attached || open == data->made))
		data->agreed = true;
	data->missing = Max(Min(lent - attached, data->ended), 0);
	data->ghosts = Min(data->missing, before);
}

/*
 * How often it has lent, from some moment on: of who asked those who wait or
 * gave up got nothing.  Who gave up may still be counted among those who wait,
 * so it may fall by as many, but it grows only by what is lent.
 */
static int64
times_lent(const PgpsStats *stats)
{
	const PgpsValues *v = &stats->values;
	int64		checkouts = pgps_get(v, PGPS_CHECKOUTS, 0);

	return stats->counts_requests ?
		checkouts - pgps_get(v, PGPS_WAITING, 0) - pgps_get(v, PGPS_TIMEOUTS, 0) :
		checkouts;
}

/*
 * Callers wait, nothing is lent out, and since the report before nothing was
 * either: of a pool that tells how often it lent, or whose connections are
 * known.
 */
static void
take_stall(PgpsInstance *data, const PgpsStats *stats,
		   TimestampTz last_statement, TimestampTz now)
{
	const PgpsValues *v = &stats->values;
	int64		lent = times_lent(stats);
	int64		xacts = pgps_get(v, PGPS_XACTS, 0);
	int64		twice = stats->counts_requests ? pgps_get(v, PGPS_WAITING, 0) : 0;

	/* one that fell further than by those counted twice began anew */
	bool		moves = lent > data->stalled_lent || lent + twice < data->stalled_lent ||
		xacts != data->stalled_xacts ||
		Max(last_statement, data->last_xact) > data->stalled_since;

	if (pgps_get(v, PGPS_CHECKED_OUT, -1) != 0 ||
		pgps_get(v, PGPS_WAITING, 0) == 0 ||
		!(pgps_known(v, PGPS_CHECKOUTS) || pgps_known(v, PGPS_XACTS) || data->labelled))
		data->stalled_since = 0;
	else if (data->stalled_since == 0 || moves)
		data->stalled_since = now;
	data->stalled_lent = lent;
	data->stalled_xacts = xacts;
}

/*
 * Were connections of a pooler found here?  -1: it has none.  Those that end
 * between its answer and our look are in one poll at most.
 */
static void
take_seen_here(PgpsInstance *data, int seen_here)
{
	if (seen_here > 0)
	{
		data->seen_here = true;
		data->polls_unseen = 0;
	}
	else if (seen_here == 0 && data->seen_here && ++data->polls_unseen > 1)
		data->seen_here = false;
}

/*
 * Take a report.  The row of those without room of their own takes only the
 * fact: one figure for many instances would mean nothing.
 */
void
pgps_instance_take_report(PgpsInstance *data, const PgpsReport *report,
						  int32 attached, TimestampTz last_statement,
						  TimestampTz now, TimestampTz started_at)
{
	const PgpsStats *stats = report->stats;
	PgpsReported reported;
	PgpsServerState nothing_seen = {0};
	PgpsJudgement judgement;

	data->source = report->source;
	data->last_seen = now;
	data->said_goodbye = false;
	data->fork_shared |= report->fork_shared;
	data->elsewhere = stats->elsewhere || stats->hosts > 1;
	data->hosts = stats->hosts;
	if (report->via[0] != '\0')
		memcpy(data->via, report->via, PGPS_POOL_LEN);
	take_seen_here(data, report->seen_here);
	data->shared_cap = report->shared_cap;
	data->shared_by = report->shared_by;
	if (report->pool_mode != NULL)
		strlcpy(data->pool_mode, report->pool_mode, PGPS_POOL_MODE_LEN);
	data->told = report->told;
	if (pgps_get(&stats->values, PGPS_CHECKED_OUT, 0) +
		pgps_get(&stats->values, PGPS_CHECKED_IN, 0) > 0)
		data->had_some_at = now;
	if (data->other)
		return;

	if (data->last_report != 0)
	{
		note_interval(data, now);
		if (stats->every == 0)
			data->quiet_reports = data->quiet_reports << 1 |
				(Max(last_statement, data->last_xact) <= data->last_report);
	}
	data->every = stats->every;
	take_values(data, &stats->values);
	take_ghosts(data, &stats->values, attached);
	take_stall(data, stats, last_statement, now);
	take_books(data, stats, attached, now);
	if (report->counted != NULL)
		begin_counters(data, &stats->values, report->counted);
	pgps_carry_counters(&data->carry, &data->counters, &stats->values,
						report->reporter, now,
						pgps_stale_after * USECS_PER_SEC);
	memcpy(data->dialect, stats->dialect, PGPS_DIALECT_LEN);
	memcpy(data->client_addr, report->client_addr, PGPS_ADDR_LEN);
	memcpy(data->unmapped, stats->unmapped, PGPS_UNMAPPED_LEN);
	if (stats->app_version[0] != '\0')
		memcpy(data->app_version, stats->app_version, PGPS_POOL_LEN);
	data->last_report = now;

	/* a fresh report is judged without the server's view */
	pgps_instance_reported(&reported, data);
	pgps_judge(&judgement, &reported, &nothing_seen, now, started_at);
	if (data->status != judgement.status)
	{
		data->status = judgement.status;
		data->status_since = now;
	}
}

/*
 * It says goodbye but has connections left: what it reported is forgotten.  The
 * caller has taken its counters.
 */
void
pgps_instance_forget(PgpsInstance *data)
{
	data->said_goodbye = true;
	data->last_report = data->books_at = data->pids_at = 0;
	data->nintervals = 0;
	data->every = data->quiet_reports = 0;
	data->missing = data->ghosts = 0;
	data->stalled_since = 0;
	memset(&data->reported, 0, sizeof(data->reported));
	memset(&data->carry, 0, sizeof(data->carry));
	memset(data->unmapped, 0, sizeof(data->unmapped));
}

/* Its pooler does not list it any more: it has no connection and no client. */
void
pgps_instance_unlisted(PgpsInstance *data)
{
	int			f;

	for (f = PGPS_FIRST_GAUGE; f < PGPS_FIRST_COUNTER; f++)
	{
		if (pgps_known(&data->reported, f))
			pgps_set(&data->reported, f, 0);
	}
	memset(&data->told, 0, sizeof(data->told));
	data->stalled_since = 0;
}

/* Of one that is gone: did it say goodbye, or close its last connection? */
bool
pgps_instance_left_in_order(const PgpsInstance *data)
{
	return data->said_goodbye ||
		(data->ended > 0 && data->ended_in_order &&
		 data->ended_at >= data->last_report);
}

/* The cap that the server's own count is measured by; 0 = unknown */
int32
pgps_instance_cap(const PgpsInstance *data)
{
	PgpsReported reported;
	PgpsValues	shown;

	pgps_instance_reported(&reported, data);
	shown = reported.report;
	pgps_judge_cap(&shown, &reported);
	return pgps_get(&shown, PGPS_MAX_SIZE, 0);
}
