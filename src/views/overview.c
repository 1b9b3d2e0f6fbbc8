/*-------------------------------------------------------------------------
 *
 * overview.c
 *	  The view for tired eyes: one line for the server and one for each pool.
 *
 * Everything is ASCII, and no wider than a terminal of 120 columns: the name
 * of the pool gets what the others leave.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "analysis/history.h"
#include "analysis/snapshot.h"
#include "base/shmem.h"
#include "views/row.h"
#include "views/views.h"

PG_FUNCTION_INFO_V1(pgps_get_overview);

#define TERMINAL_WIDTH 120
#define DATABASE_WIDTH 8
#define MIN_POOL_WIDTH 8
#define COLUMNS 10
#define COLUMN_WAIT 6
#define COLUMN_P95 7
#define BAR_WIDTH 5

static const char *const headers[COLUMNS] = {
	"pool", "database", "inst", "conns", "used", "fullest", "wait", "p95_ms",
	"last_hour", "status"
};

/* a figure summed over live instances, some of which did not tell it */
typedef struct Sum
{
	int64		total;
	int			told;
	int			not_told;
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
	uint64		histogram[PGPS_XACT_BUCKETS];	/* of the last minutes */
	const PgpsInstanceView *fullest;
	double		fullest_pct;
	PgpsStatus	status;
	TimestampTz status_since;
	bool		discovered;
	int8		digits[PGPS_DIGITS];	/* of the last hour */
} Line;

static void
add(Sum *sum, const PgpsValues *v, PgpsField f)
{
	if (pgps_known(v, f))
	{
		sum->total = pgps_add_saturated(sum->total, v->value[f]);
		sum->told++;
	}
	else
		sum->not_told++;
}

static Line *
find_line(Line *lines, int *nlines, const char *pool, const char *database)
{
	Line	   *line;
	int			i;

	for (i = 0; i < *nlines; i++)
	{
		if (strcmp(lines[i].pool, pool) == 0 &&
			strcmp(lines[i].database, database) == 0)
			return &lines[i];
	}
	line = &lines[(*nlines)++];
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
add_pool(Line *line, const PgpsPoolView *pool, TimestampTz now)
{
	int8		digits[PGPS_DIGITS];
	int			i,
				b;

	pgps_last_hour(pool->copy, now, digits);
	pgps_add_digits(line->digits, digits);

	line->live += pool->live;
	line->connections += pool->connections;
	line->discovered &= pool->source == PGPS_SOURCE_DISCOVERY;
	for (i = 0; i < pool->ninstances; i++)
	{
		const PgpsInstanceView *view = pool->instances[i];

		for (b = 0; b < PGPS_XACT_BUCKETS; b++)
			line->histogram[b] += view->copy->activity.histogram[b];
		if (!view->counts)
			continue;
		add(&line->checked_out, &view->now.shown, PGPS_CHECKED_OUT);
		add(&line->max_size, &view->now.shown, PGPS_MAX_SIZE);
		add(&line->waiting, &view->now.shown, PGPS_WAITING);
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
}

/*
 * Worst status first; among equals what was only discovered last; then the
 * fullest, then who holds most connections.
 */
static int
compare_lines(const void *a, const void *b)
{
	const Line *x = a;
	const Line *y = b;
	int			order;

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

static char *
clip(const char *text, int width)
{
	if ((int) strlen(text) <= width)
		return pstrdup(text);
	return psprintf("%.*s~", width - 1, text);
}

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

static char *
status_text(const char *status, bool aged, TimestampTz since, TimestampTz now)
{
	return aged ? psprintf("%s %s", status, age(since, now)) : pstrdup(status);
}

/* "-" = unknown, "3+" = some did not tell */
static char *
sum_text(const Sum *sum)
{
	if (sum->told == 0)
		return "-";
	return psprintf(INT64_FORMAT "%s", sum->total, sum->not_told > 0 ? "+" : "");
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
	if (line->checked_out.told > 0 && line->checked_out.not_told == 0 &&
		line->max_size.not_told == 0)
		return used_text(line->checked_out.total, line->max_size.total);
	return psprintf("%*s%s/?", BAR_WIDTH + 3, "", sum_text(&line->checked_out));
}

static char *
fullest_text(const PgpsInstanceView *view)
{
	if (view == NULL)
		return "";
	return psprintf(INT64_FORMAT "/" INT64_FORMAT,
					view->now.shown.value[PGPS_CHECKED_OUT],
					view->now.shown.value[PGPS_MAX_SIZE]);
}

/*-------------------------------------------------------------------------
 * The rows
 *-------------------------------------------------------------------------
 */

static void
render_pool(char **cell, const Line *line, TimestampTz now)
{
	double		p95 = pgps_percentile(line->histogram, 0.95);

	cell[0] = pstrdup(line->pool);
	cell[1] = clip(line->database, DATABASE_WIDTH);
	cell[2] = psprintf("%d", line->live);
	cell[3] = psprintf("%d", line->connections);
	cell[4] = pool_used_text(line);
	cell[5] = fullest_text(line->fullest);
	cell[6] = line->live > 0 ? sum_text(&line->waiting) : "";
	cell[7] = p95 >= 0 ? psprintf("%.0f", ceil(p95 / 1000.0)) : "-";
	cell[8] = pgps_digits_text(line->digits);
	cell[9] = status_text(pgps_status_name(line->status),
						  line->status != PGPS_OK,
						  line->status_since, now);
}

static void
render_server(char **cell, const PgpsSnapshot *snapshot)
{
	PgpsLimitStatus status = pgps_server_status(snapshot->rejections);
	int			used = pgps_client_processes();
	int			live = 0;
	int8		digits[PGPS_DIGITS];
	int			i;

	for (i = 0; i < snapshot->npools; i++)
		live += snapshot->pools[i].live;
	cell[0] = "(server)";
	cell[1] = "";
	cell[2] = psprintf("%d", live);
	cell[3] = psprintf("%d", used);
	cell[4] = used_text(used, pgps_server_usable(InvalidOid));
	cell[5] = "";
	cell[6] = "";
	cell[7] = "";
	pgps_last_hour_of_server(snapshot->taken_at, digits);
	cell[8] = pgps_digits_text(digits);
	cell[9] = status_text(pgps_limit_status_name(status),
						  status != PGPS_LIMIT_OK,
						  status == snapshot->info.server_status ?
						  snapshot->info.server_status_since : snapshot->taken_at,
						  snapshot->taken_at);
}

/*
 * Lay out the columns: numbers to the right, and for the pool's name the room
 * that the others leave.
 */
static void
lay_out(char *(*cells)[COLUMNS], int nlines)
{
	int			width = TERMINAL_WIDTH - (3 * COLUMNS - 1);
	int			i,
				c;

	for (c = 1; c < COLUMNS; c++)
	{
		int			widest = strlen(headers[c]);

		for (i = 0; i < nlines; i++)
			widest = Max(widest, (int) strlen(cells[i][c]));
		for (i = 0; i < nlines && (c == COLUMN_WAIT || c == COLUMN_P95); i++)
		{
			if (cells[i][c][0] != '\0')
				cells[i][c] = psprintf("%*s", widest, cells[i][c]);
		}
		width -= widest;
	}
	for (i = 0; i < nlines; i++)
		cells[i][0] = clip(cells[i][0], Max(width, MIN_POOL_WIDTH));
}

static void
put_line(PgpsRow *row, char **cell)
{
	int			c;

	pgps_put_text(row, cell[0]);
	pgps_put_text(row, cell[1]);
	for (c = 2; c < 4; c++)
	{
		if (cell[c][0] != '\0')
			pgps_put_int4(row, atoi(cell[c]));
		else
			pgps_put_null(row);
	}
	for (c = 4; c < COLUMNS; c++)
		pgps_put_text(row, cell[c]);
	pgps_row_end(row);
}

static void
put_not_loaded(PgpsRow *row)
{
	char	   *cell[COLUMNS] = {
		"(not in shared_preload_libraries)", "", "", "", "", "", "", "", "",
		"not loaded"
	};

	put_line(row, cell);
}

Datum
pgps_get_overview(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	Line	   *lines;
	int			nlines = 0;
	char	   *(*cells)[COLUMNS];
	bool		sees_all;
	int			i;

	pgps_rows_begin(&row, fcinfo);
	if (!pgps_is_loaded())
	{
		put_not_loaded(&row);
		return (Datum) 0;
	}

	snapshot = pgps_take_snapshot(PGPS_RECENT_XACTS);
	sees_all = pgps_sees_all();
	lines = palloc(Max(snapshot->npools, 1) * sizeof(Line));
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolView *pool = &snapshot->pools[i];

		/* what is only history is in the view pools */
		if (!pgps_may_see(pool->data->key.roleid, sees_all) ||
			pool->ninstances == 0 ||
			(pool->source == PGPS_SOURCE_DISCOVERY && pool->connections == 0))
			continue;
		add_pool(find_line(lines, &nlines, pool->data->key.name,
						   pgps_database_name(pool->data)), pool,
				 snapshot->taken_at);
	}
	qsort(lines, nlines, sizeof(Line), compare_lines);

	cells = palloc((nlines + 1) * sizeof(*cells));
	render_server(cells[0], snapshot);
	for (i = 0; i < nlines; i++)
		render_pool(cells[i + 1], &lines[i], snapshot->taken_at);
	lay_out(cells, nlines + 1);
	for (i = 0; i <= nlines; i++)
		put_line(&row, cells[i]);
	return (Datum) 0;
}
