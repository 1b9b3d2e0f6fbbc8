/*-------------------------------------------------------------------------
 *
 * fields.h
 *	  The canonical figures of a pool, whatever library they come from.
 *
 * A dialect (dialect.h) turns a library's own words into these; everything
 * behind it knows only these.  Times are microseconds here and become
 * milliseconds where they are shown.  A figure nobody reported is unknown, never
 * 0: ask pgps_known() first.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_FIELDS_H
#define PGPS_FIELDS_H

typedef enum PgpsField
{
	/* configuration: holds until reported otherwise */
	PGPS_POOL_SIZE,
	PGPS_MAX_OVERFLOW,
	PGPS_MAX_SIZE,
	PGPS_MIN_SIZE,
	PGPS_UNLIMITED,				/* 0 or 1 */

	/* gauges: one report has them all, or they are unknown */
	PGPS_OPEN,
	PGPS_CHECKED_OUT,
	PGPS_CHECKED_IN,
	PGPS_OVERFLOW,
	PGPS_WAITING,
	PGPS_MAX_WAIT,
	PGPS_CLIENTS,				/* clients of an external pooler */

	/* counters: carried on when the client's own start again */
	PGPS_CHECKOUTS,
	PGPS_WAITS,
	PGPS_TOTAL_WAIT_TIME,
	PGPS_TIMEOUTS,
	PGPS_ERRORS,
	PGPS_TOTAL_USE_TIME,
	PGPS_XACTS,					/* reported by a pooler, which sees them */
	PGPS_QUERIES,
	PGPS_CREATED,				/* connections made, or tried ... */
	PGPS_NOT_CREATED,			/* ... and failed: their difference is not
								 * carried on, it falls with each of these */
	PGPS_CREATE_TIME,			/* the time that making them took */
	PGPS_IDLE_CLOSED,			/* closed because enough were idle ... */
	PGPS_LIFETIME_CLOSED,		/* ... or because they were old */
	PGPS_WAIT_EVENTS,			/* what total_wait_time is divided by: waits
								 * or checkouts, by dialect; never reported
								 * itself */

	PGPS_NFIELDS
} PgpsField;

#define PGPS_FIRST_GAUGE	PGPS_OPEN
#define PGPS_FIRST_COUNTER	PGPS_CHECKOUTS

#define PGPS_IS_GAUGE(f) ((f) >= PGPS_FIRST_GAUGE && (f) < PGPS_FIRST_COUNTER)

typedef struct PgpsValues
{
	uint32		known;			/* a bit for each field */
	int64		value[PGPS_NFIELDS];
} PgpsValues;

static inline bool
pgps_known(const PgpsValues *v, PgpsField f)
{
	return (v->known & ((uint32) 1 << f)) != 0;
}

static inline void
pgps_set(PgpsValues *v, PgpsField f, int64 value)
{
	v->known |= (uint32) 1 << f;
	v->value[f] = value;
}

static inline void
pgps_unset(PgpsValues *v, PgpsField f)
{
	v->known &= ~((uint32) 1 << f);
	v->value[f] = 0;
}

/* value of a field, or "otherwise" when nobody reported it */
static inline int64
pgps_get(const PgpsValues *v, PgpsField f, int64 otherwise)
{
	return pgps_known(v, f) ? v->value[f] : otherwise;
}

/*
 * A number of connections or callers: whoever reports one may report anything,
 * so it is cut where it comes in.
 */
static inline int64
pgps_cut_count(int64 count)
{
	return Min(count, PG_INT32_MAX);
}

#endif							/* PGPS_FIELDS_H */
