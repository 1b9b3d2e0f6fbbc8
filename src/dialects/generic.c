/*-------------------------------------------------------------------------
 *
 * generic.c
 *	  A document of a library that we do not know, by words that many have.
 *
 * Such words mean one thing here and another there: "active" is lent or open,
 * "size" open or the most there may be, "pending" waits or is being opened.
 * What a word means is therefore only settled when all of them are known, and
 * a figure that two of them contradict stays unknown.  Our own words count
 * here, too, as they do in every dialect (parser.c).
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "dialects/list.h"

static void settle(PgpsFigures *fig);

const PgpsDialect pgps_generic = {
	.name = "generic",
	.keys = (const PgpsDialectKey[]) {
		{"used", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"used_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"busy", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"busy_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"borrowed", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"acquired", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"acquired_connections", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"in_use", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"taken", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"lent", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"active", PGPS_SAYS_ACTIVE, PGPS_UNIT_COUNT},
		{"active_count", PGPS_SAYS_ACTIVE, PGPS_UNIT_COUNT},
		{"idle", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"idle_connections", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"free", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"free_size", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"free_connections", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"pooling_count", PGPS_SAYS_IDLE, PGPS_UNIT_COUNT},
		{"available", PGPS_SAYS_AVAILABLE, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
		{"available_connections", PGPS_SAYS_AVAILABLE, PGPS_UNIT_COUNT, PGPS_CLAMP_NEGATIVE},
		{"size", PGPS_SAYS_SIZE, PGPS_UNIT_COUNT},
		{"total", PGPS_SAYS_TOTAL, PGPS_UNIT_COUNT},
		{"total_connections", PGPS_SAYS_TOTAL, PGPS_UNIT_COUNT},
		{"waiters", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"waiting_clients", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"waiting_threads", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"waiting_requests", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"wait_thread_count", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"pending", PGPS_SAYS_PENDING, PGPS_UNIT_COUNT},
		{"pending_requests", PGPS_SAYS_PENDING, PGPS_UNIT_COUNT},
		{"max", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"maximum", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"max_active", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"max_connections", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"limit", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"min", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{NULL}
	},
	/* a counter; connections that are being opened; how long one may wait */
	.ignored = PGPS_WORDS("created", "remaining_created",
						  "pending_connections", "connect_count", "maxWait"),
	.consistent = true,
	.settle = settle,
};

/* The value of a figure, or -1 */
static int64
get(const PgpsFigures *fig, int field)
{
	return (fig->known & PGPS_BIT(field)) ? fig->value[field] : -1;
}

/* -1 = unknown */
static void
put(PgpsFigures *fig, int field, int64 value)
{
	fig->known &= ~PGPS_BIT(field);
	if (value >= 0)
	{
		fig->known |= PGPS_BIT(field);
		fig->value[field] = value;
	}
}

/* What two keys tell: -1 if neither does, or if they contradict */
static int64
both(int64 a, int64 b)
{
	if (a >= 0 && b >= 0 && a != b)
		return -1;
	return a >= 0 ? a : b;
}

static void
settle(PgpsFigures *fig)
{
	int64		lent,
				idle,
				open,
				max,
				active,
				size,
				total;

	fig->known &= ~fig->contradicted;
	lent = get(fig, PGPS_CHECKED_OUT);
	max = get(fig, PGPS_MAX_SIZE);
	active = get(fig, PGPS_SAYS_ACTIVE);
	size = get(fig, PGPS_SAYS_SIZE);
	total = get(fig, PGPS_SAYS_TOTAL);
	idle = both(get(fig, PGPS_CHECKED_IN), get(fig, PGPS_SAYS_IDLE));
	open = get(fig, PGPS_OPEN);

	/* who knows how many it may still lend: of all that there may be */
	if (size >= 0 && get(fig, PGPS_SAYS_AVAILABLE) >= 0 && max < 0 &&
		lent < 0 && active < 0 && idle < 0 && open < 0 && total < 0)
	{
		idle = get(fig, PGPS_SAYS_AVAILABLE);
		max = size;
		lent = idle <= max ? max - idle : -1;
		size = -1;
		put(fig, PGPS_MAX_SIZE, max);
	}
	else if (idle < 0)
		idle = get(fig, PGPS_SAYS_AVAILABLE);

	if (active >= 0)
	{
		if (lent < 0 && !(fig->contradicted & PGPS_BIT(PGPS_CHECKED_OUT)))
			lent = active;
		else
			open = open < 0 ? active : both(open, active);
	}

	/* this is no state but what somebody configured */
	if (max >= 0 && (idle > max || lent > max))
	{
		fig->known = 0;
		return;
	}

	if (size >= 0)
		open = get(fig, PGPS_OPEN) >= 0 ? both(open, size) : size;
	if (open < 0 && total >= 0 &&
		((lent >= 0 && idle >= 0 && total == lent + idle) ||
		 (max >= 0 && total <= max)))
		open = total;
	if (open >= 0 && lent > open)
		open = -1;

	if (get(fig, PGPS_WAITING) < 0 && idle == 0 &&
		!(fig->contradicted & PGPS_BIT(PGPS_WAITING)))
		put(fig, PGPS_WAITING, get(fig, PGPS_SAYS_PENDING));
	if (open < 0 || idle < 0 || Max(lent, 0) + idle > open)
		idle = -1;
	put(fig, PGPS_CHECKED_OUT, lent);
	put(fig, PGPS_OPEN, open);
	put(fig, PGPS_CHECKED_IN, idle);
}
