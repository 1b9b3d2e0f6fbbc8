/*-------------------------------------------------------------------------
 *
 * overview.c
 *	  The view overview: one line for the server and one for each pool.
 *
 * Everything is ASCII, and overview_layout.c makes it fit a terminal.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/rules.h"
#include "analysis/budget.h"
#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "base/shmem.h"
#include "base/table.h"
#include "base/text.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "views/firing.h"
#include "views/overview.h"
#include "views/row.h"
#include "views/statement.h"
#include "views/visible.h"
#include "views/why.h"

PG_FUNCTION_INFO_V1(pgps_get_overview);

#define DATABASE_WIDTH 8
#define BAR_WIDTH (PGPS_BAR_LENGTH - 3)

/* a figure summed over live instances; some may not report it */
typedef struct Sum
{
	int64		total;
	int			known;			/* number of instances that report it */
	int			unknown;
} Sum;

/* one line: all pools of one name in one database, whatever their roles */
typedef struct Line
{
	const char *pool;
	const char *database;
	int			live;
	int			connections;
	Sum			checked_out;
	Sum			max_size;
	Sum			waiting;
	PgpsHistogram histogram;	/* of the last minutes */
	const PgpsInstanceState *fullest;
	double		fullest_pct;
	PgpsStatus	status;
	TimestampTz status_since;
	PgpsFiring	firing;
	const PgpsAlert *why;		/* the worst */
	bool		discovered;
	int8		digits[PGPS_DIGITS];	/* of the last hour */
} Line;

static void
add_figure(Sum *sum, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
	{
		sum->total = pgps_add_saturated(sum->total, v->value[f]);
		sum->known++;
	}
	else
		sum->unknown++;
}

/* where the line of a name is */
typedef struct LineKey
{
	char		pool[PGPS_POOL_LEN];	/* both padded with zeros */
	NameData	database;
} LineKey;

typedef struct LinePlace
{
	LineKey		key;
	int			line;
} LinePlace;

typedef struct Lines
{
	HTAB	   *places;			/* of LinePlace */
	Line	   *lines;
	int			n;
} Lines;

static void
begin_lines(Lines *lines, int room)
{
	lines->places = pgps_make_table("pgpool_stats lines", 64,
									sizeof(LineKey), sizeof(LinePlace));
	lines->lines = palloc_extended(Max(room, 1) * sizeof(Line),
								   MCXT_ALLOC_HUGE);
	lines->n = 0;
}

static Line *
find_line(Lines *lines, const char *pool, const char *database)
{
	LineKey		key = {0};
	LinePlace  *place;
	Line	   *line;
	bool		found;

	strlcpy(key.pool, pool, sizeof(key.pool));
	strlcpy(NameStr(key.database), database, NAMEDATALEN);
	place = hash_search(lines->places, &key, HASH_ENTER, &found);
	if (found)
		return &lines->lines[place->line];

	place->line = lines->n++;
	line = &lines->lines[place->line];
	memset(line, 0, sizeof(Line));
	line->pool = pool;
	line->database = database;
	line->fullest_pct = -1;
	line->status = PGPS_GONE;
	line->discovered = true;
	memset(line->digits, PGPS_DIGIT_UNKNOWN, sizeof(line->digits));
	return line;
}

static void
add_to_line(Line *line, const PgpsPoolState *pool, const PgpsFirings *alerts,
			const PgpsWhy *whys, TimestampTz now)
{
	int8		digits[PGPS_DIGITS];
	const PgpsAlert *why = pgps_why_of(whys, &pool->data->key);
	int			i;

	pgps_last_hour(pool->copy, now, digits);
	pgps_add_digits(line->digits, digits);

	line->live += pool->live;
	line->connections += pool->connections;
	line->discovered &= pool->source == PGPS_SOURCE_DISCOVERY;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceState *state = pool->instances[i];
		const PgpsHistogram *histogram = state->histograms[PGPS_RECENT_XACTS];

		CHECK_FOR_INTERRUPTS();
		if (histogram != NULL)
			pgps_histogram_add(&line->histogram, histogram);
		if (!state->counts)
			continue;
		add_figure(&line->checked_out, &state->now.shown, PGPS_CHECKED_OUT);
		add_figure(&line->max_size, &state->now.shown, PGPS_MAX_SIZE);
		add_figure(&line->waiting, &state->now.shown, PGPS_WAITING);
	}
	if (pool->fullest_pct > line->fullest_pct)
	{
		line->fullest_pct = pool->fullest_pct;
		line->fullest = pool->fullest;
	}
	if (line->status_since == 0 || pool->status > line->status ||
		(pool->status == line->status &&
		 pool->status_since < line->status_since))
	{
		line->status = pool->status;
		line->status_since = pool->status_since;
	}
	pgps_add_firing(&line->firing, alerts, pool);
	if (line->why == NULL || line->why->cause.kind == PGPS_CAUSE_NONE ||
		why->severity > line->why->severity)
		line->why = why;
}

/* How bad is a status by itself? */
static PgpsSeverity
severity_of_status(PgpsStatus status)
{
	switch (status)
	{
		case PGPS_STALLED:
		case PGPS_EXHAUSTED:
			return PGPS_SEVERITY_CRITICAL;
		case PGPS_WAITING_STATUS:
		case PGPS_SILENT:
		case PGPS_LOST:
			return PGPS_SEVERITY_WARNING;
		default:
			return PGPS_SEVERITY_NONE;
	}
}

static PgpsSeverity
severity_of_line(const Line *line)
{
	return Max(line->firing.severity, severity_of_status(line->status));
}

/*
 * Worst first; among equals discovered ones last; then the fullest; then the
 * one with most connections.
 */
static int
compare_lines(const void *a, const void *b)
{
	const Line *x = a;
	const Line *y = b;
	int			order;

	if (severity_of_line(x) != severity_of_line(y))
		return severity_of_line(x) > severity_of_line(y) ? -1 : 1;
	if (x->status != y->status)
		return x->status > y->status ? -1 : 1;
	if (x->discovered != y->discovered)
		return x->discovered ? 1 : -1;
	if (x->fullest_pct != y->fullest_pct)
		return x->fullest_pct > y->fullest_pct ? -1 : 1;
	if (x->connections != y->connections)
		return x->connections > y->connections ? -1 : 1;
	order = strcmp(x->pool, y->pool);
	return order != 0 ? order : strcmp(x->database, y->database);
}

/*-------------------------------------------------------------------------
 * Text
 *-------------------------------------------------------------------------
 */

/* "41m": in the largest unit that leaves at least 1 */
static char *
age(TimestampTz since, TimestampTz now)
{
	int64		s = Max((now - since) / USECS_PER_SEC, 0);

	if (s < 60)
		return psprintf(INT64_FORMAT "s", s);
	if (s < 3600)
		return psprintf(INT64_FORMAT "m", s / 60);
	if (s < 86400)
		return psprintf(INT64_FORMAT "h", s / 3600);
	return psprintf(INT64_FORMAT "d", Min(s / 86400, 999));
}

/* A status with its age, unless what fires is worse than that says */
static char *
status_text(const char *status, PgpsSeverity severity, bool aged,
			TimestampTz since, const PgpsFiring *firing, TimestampTz now)
{
	if (firing->severity > severity)
		return psprintf("%s %s", pgps_severity_name(firing->severity),
						age(firing->since, now));
	return aged ? psprintf("%s %s", status, age(since, now)) : pstrdup(status);
}

/* "-" = unknown, "3+" = some do not report it */
static char *
sum_text(const Sum *sum)
{
	if (sum->known == 0)
		return "-";
	return psprintf(INT64_FORMAT "%s", sum->total, sum->unknown > 0 ? "+" : "");
}

/* "[##...] 51/180": the bar only where the maximum is known */
static char *
used_text(int64 used, int64 max)
{
	/* rounded up: only an unused pool has an empty bar */
	int			filled = max > 0 ? (int) ((used * BAR_WIDTH + max - 1) / max) : 0;

	filled = Min(filled, BAR_WIDTH);
	return psprintf("[%.*s%.*s] " INT64_FORMAT "/" INT64_FORMAT,
					filled, "#####", BAR_WIDTH - filled, ".....", used, max);
}

static char *
pool_used_text(const Line *line)
{
	if (line->live == 0)
		return "";
	if (line->checked_out.known > 0 && line->checked_out.unknown == 0 &&
		line->max_size.unknown == 0)
		return used_text(line->checked_out.total, line->max_size.total);
	return psprintf("%*s%s/?", PGPS_BAR_LENGTH, "", sum_text(&line->checked_out));
}

static char *
fullest_text(const PgpsInstanceState *state)
{
	if (state == NULL)
		return "";
	return psprintf(INT64_FORMAT "/" INT64_FORMAT,
					state->now.shown.value[PGPS_CHECKED_OUT],
					state->now.shown.value[PGPS_MAX_SIZE]);
}

/* "lock 12"; NULL = not known */
static const char *
why_text(const PgpsCause *cause)
{
	const char *name = pgps_cause_short(cause->kind);

	if (name == NULL || cause->said || cause->rejected > 0 ||
		cause->nholders > 0)
		return name;
	return psprintf("%s %d", name, Min(cause->count, 9999));
}

/*-------------------------------------------------------------------------
 * The rows
 *-------------------------------------------------------------------------
 */

static void
render_pool(const char **cell, const Line *line, TimestampTz now)
{
	double		p95 = pgps_percentile(&line->histogram, 0.95);

	cell[CELL_pool] = line->pool;
	cell[CELL_database] = pgps_clip(line->database, DATABASE_WIDTH);
	cell[CELL_inst] = psprintf("%d", line->live);
	cell[CELL_conns] = psprintf("%d", line->connections);
	cell[CELL_used] = pool_used_text(line);
	cell[CELL_fullest] = fullest_text(line->fullest);
	cell[CELL_wait] = line->live > 0 ? sum_text(&line->waiting) : "";
	cell[CELL_p95_ms] = p95 >= 0 ? psprintf("%.0f", ceil(p95 / 1000.0)) : "-";
	cell[CELL_last_hour] = pgps_digits_text(line->digits);
	cell[CELL_status] = status_text(pgps_status_name(line->status),
									severity_of_status(line->status),
									line->status != PGPS_OK,
									line->status_since, &line->firing, now);
	cell[CELL_why] = why_text(&line->why->cause);
}

static void
render_server(const char **cell, const PgpsSnapshot *snapshot,
			  const PgpsFirings *alerts,
			  const PgpsWhy *whys)
{
	PgpsLimitStatus status = pgps_server_status(snapshot->rejections);
	int			used = pgps_client_processes();
	int			usable = pgps_server_usable(InvalidOid);
	int			live = 0;
	int8		digits[PGPS_DIGITS];
	PgpsFiring	firing = {0};
	int			i;

	pgps_add_firing(&firing, alerts, NULL);
	for (i = 0; i < snapshot->npools; i++)
		live += snapshot->pools[i].live;
	cell[CELL_pool] = "(server)";
	cell[CELL_inst] = psprintf("%d", live);
	cell[CELL_conns] = psprintf("%d", used);
	cell[CELL_used] = used_text(used, used > usable ? MaxConnections : usable);
	pgps_last_hour(NULL, snapshot->taken_at, digits);
	cell[CELL_last_hour] = pgps_digits_text(digits);
	cell[CELL_status] = status_text(pgps_limit_status_name(status),
									status == PGPS_LIMIT_CRITICAL ?
									PGPS_SEVERITY_CRITICAL :
									status == PGPS_LIMIT_WARNING ?
									PGPS_SEVERITY_WARNING :
									PGPS_SEVERITY_NONE,
									status != PGPS_LIMIT_OK,
									status == snapshot->info.server_status ?
									snapshot->info.server_status_since :
									snapshot->taken_at,
									&firing, snapshot->taken_at);
	cell[CELL_why] = why_text(&pgps_why_of(whys, NULL)->cause);
}

/* -1 = the cell is empty */
static int
cell_number(const char *cell)
{
	return cell != NULL ? atoi(cell) : -1;
}

static void
put_cells(PgpsRow *row, const char **cell)
{
	PGPS_PUT_ROW(OVERVIEW_COLUMNS);
}

Datum
pgps_get_overview(PG_FUNCTION_ARGS)
{
	PgpsRow    *row = PGPS_BEGIN_ROWS(OVERVIEW_COLUMNS);
	const PgpsSnapshot *snapshot;
	Lines		lines;
	PgpsCells  *cells;
	const PgpsPoolState *pool = NULL;
	const PgpsFirings *alerts;
	const PgpsWhy *whys;
	int			i;

	if (!pgps_is_loaded())
	{
		cells = palloc0(sizeof(PgpsCells));
		cells[0][CELL_pool] = "(not in shared_preload_libraries)";
		cells[0][CELL_status] = "not loaded";
		put_cells(row, cells[0]);
		return (Datum) 0;
	}

	snapshot = pgps_snapshot(fcinfo, PGPS_RECENT_XACTS);
	alerts = pgps_firing_alerts(snapshot->taken_at);
	whys = pgps_whys(fcinfo);
	begin_lines(&lines, snapshot->npools);
	while ((pool = pgps_next_visible(snapshot, pool)) != NULL)
	{
		/* pools without live instances are only in the view pools */
		if (pool->ninstances == 0 ||
			(pool->source == PGPS_SOURCE_DISCOVERY && pool->connections == 0))
			continue;
		add_to_line(find_line(&lines, pool->data->key.name,
							  pgps_readable(pgps_database_name(pool->data))),
					pool, alerts, whys, snapshot->taken_at);
	}
	qsort(lines.lines, lines.n, sizeof(Line), compare_lines);

	cells = palloc0((lines.n + 1) * sizeof(PgpsCells));
	render_server(cells[0], snapshot, alerts, whys);
	for (i = 0; i < lines.n; i++)
		render_pool(cells[i + 1], &lines.lines[i], snapshot->taken_at);
	pgps_lay_out(cells, lines.n + 1);
	for (i = 0; i <= lines.n; i++)
		put_cells(row, cells[i]);
	return (Datum) 0;
}
