/*-------------------------------------------------------------------------
 *
 * rejections.c
 *	  Connections that a limit rejected, seen where their FATAL is logged.
 *
 * In the main case the process has no PGPROC and can wait for nothing: no
 * lock, no allocation, no catalog.  A row of the table is claimed by making
 * its change count odd, with compare-and-swap, and whoever finds it odd looks
 * further.  Rows are one origin in one minute, so that a storm does not push
 * out its own beginning; when there is no room, the oldest minute goes.
 *
 * Rows are given up for newer ones, but totals must never go backwards.  So
 * there are counters beside the rows, one for each reason, server, role,
 * database, pool and instance that was rejected, found by a hash of its name.
 * A counter is never removed.
 *
 * Nobody has been authenticated: role, database and label are claims.  So a
 * rejection makes no pool and no instance.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "utils/elog.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/settings.h"
#include "server/rejections.h"

#define COUNTERS 4096
#define COUNTER_PROBES 32

typedef struct Row
{
	pg_atomic_uint32 changecount;	/* odd = being written; 0 = never used */
	uint64		hash;			/* of origin */
	int64		minute;
	PgpsOrigin	origin;
	TimestampTz first_rejected;
	pg_atomic_uint64 last_rejected;
	pg_atomic_uint64 count;
} Row;

typedef struct Counter
{
	pg_atomic_uint64 hash;		/* 0 = free */
	pg_atomic_uint64 count;
	pg_atomic_uint64 base;		/* what exporters leave out, see
								 * registry/restore.c */
	pg_atomic_uint64 last_rejected;
} Counter;

static Row *rows = NULL;
static Counter *counters = NULL;	/* the last one is for what has no room */

static emit_log_hook_type prev_emit_log_hook = NULL;

Size
pgps_rejections_size(void)
{
	return add_size(mul_size(pgps_max_rejections, sizeof(Row)),
					(COUNTERS + 1) * sizeof(Counter));
}

void
pgps_rejections_init(void *area, bool found)
{
	int			i;

	counters = area;
	rows = (Row *) (counters + COUNTERS + 1);
	if (found)
		return;
	for (i = 0; i <= COUNTERS; i++)
	{
		pg_atomic_init_u64(&counters[i].hash, 0);
		pg_atomic_init_u64(&counters[i].count, 0);
		pg_atomic_init_u64(&counters[i].base, 0);
		pg_atomic_init_u64(&counters[i].last_rejected, 0);
	}
	for (i = 0; i < pgps_max_rejections; i++)
	{
		pg_atomic_init_u32(&rows[i].changecount, 0);
		pg_atomic_init_u64(&rows[i].last_rejected, 0);
		pg_atomic_init_u64(&rows[i].count, 0);
	}
}

/*-------------------------------------------------------------------------
 * Counters
 *-------------------------------------------------------------------------
 */

static uint64
hash_text(uint64 seed, const char *text)
{
	return hash_combine64(seed, hash_bytes_extended((const unsigned char *) text,
													strlen(text), 0));
}

/* What is counted for whom: each kind has a seed of its own. */
uint64
pgps_server_hash(void)
{
	return 1;
}

uint64
pgps_role_hash(const char *usename)
{
	return hash_text(2, usename);
}

uint64
pgps_database_hash(const char *datname)
{
	return hash_text(3, datname);
}

uint64
pgps_pool_hash(const char *usename, const char *datname, const char *pool)
{
	return hash_text(hash_text(hash_text(4, usename), datname), pool);
}

uint64
pgps_instance_hash(const char *usename, const char *datname, const char *pool,
				   const char *instance)
{
	return hash_text(hash_text(hash_text(hash_text(5, usename), datname),
							   pool), instance);
}

uint64
pgps_reason_hash(PgpsReason reason)
{
	return hash_text(7, pgps_reason_name(reason));
}

/* all connections of a role to a database that brought no label */
uint64
pgps_unlabelled_hash(const char *usename, const char *datname)
{
	return hash_text(hash_text(6, usename), datname);
}

static Counter *
need_counter(uint64 hash)
{
	int			i;

	for (i = 0; i < COUNTER_PROBES; i++)
	{
		Counter    *counter = &counters[(hash + i) % COUNTERS];
		uint64		there = pg_atomic_read_u64(&counter->hash);

		if (there == 0 &&
			pg_atomic_compare_exchange_u64(&counter->hash, &there, hash))
			return counter;
		if (there == hash)
			return counter;
	}
	return &counters[COUNTERS];
}

static void
count(uint64 hash, TimestampTz now)
{
	Counter    *counter = need_counter(hash);

	pg_atomic_fetch_add_u64(&counter->count, 1);
	pg_atomic_write_u64(&counter->last_rejected, now);
}

/*-------------------------------------------------------------------------
 * The table
 *-------------------------------------------------------------------------
 */

/* Make a row ours, if it is still as we found it. */
static bool
claim(Row *row, uint32 changecount)
{
	return (changecount & 1) == 0 &&
		pg_atomic_compare_exchange_u32(&row->changecount, &changecount,
									   changecount + 1);
}

static void
publish(Row *row)
{
	pg_write_barrier();
	pg_atomic_fetch_add_u32(&row->changecount, 1);
}

/*
 * Count an origin in its row of this minute, or make one.  What finds no row
 * at all is only in the counters.
 */
static void
put_row(const PgpsOrigin *origin, TimestampTz now)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) origin,
										   sizeof(PgpsOrigin), 0);
	int64		minute = now / USECS_PER_MINUTE;
	int			attempt;

	for (attempt = 0; attempt < 10; attempt++)
	{
		Row		   *place = NULL;
		uint32		place_count = 0;
		int64		oldest = minute;
		int			i;

		for (i = 0; i < pgps_max_rejections; i++)
		{
			Row		   *row = &rows[i];
			uint32		changecount = pg_atomic_read_u32(&row->changecount);

			if (changecount & 1)
				continue;
			if (changecount == 0)
			{
				/* rows are used from the front */
				place = row;
				place_count = 0;
				break;
			}
			pg_read_barrier();
			if (row->hash == hash && row->minute == minute)
			{
				pg_atomic_fetch_add_u64(&row->count, 1);
				pg_atomic_write_u64(&row->last_rejected, now);
				return;
			}
			if (row->minute < oldest)
			{
				oldest = row->minute;
				place = row;
				place_count = changecount;
			}
		}

		if (place == NULL)
			return;
		if (claim(place, place_count))
		{
			place->hash = hash;
			place->minute = minute;
			place->origin = *origin;
			place->first_rejected = now;
			pg_atomic_write_u64(&place->last_rejected, now);
			pg_atomic_write_u64(&place->count, 1);
			publish(place);
			return;
		}
	}
}

static void
note_log(ErrorData *edata)
{
	PgpsOrigin	origin;
	PgpsReason	reason;
	TimestampTz now;

	if (edata->elevel == FATAL && rows != NULL && MyProcPort != NULL &&
		pgps_find_reason(edata, &reason))
	{
		now = GetCurrentTimestamp();
		memset(&origin, 0, sizeof(origin));
		origin.reason = reason;
		pgps_describe_origin(&origin);

		count(pgps_reason_hash(reason), now);
		count(reason == PGPS_REASON_ROLE ? pgps_role_hash(origin.usename) :
			  reason == PGPS_REASON_DATABASE ? pgps_database_hash(origin.datname) :
			  pgps_server_hash(), now);
		count(pgps_pool_hash(origin.usename, origin.datname, origin.pool), now);
		count(pgps_instance_hash(origin.usename, origin.datname, origin.pool,
								 origin.instance), now);
		if (!origin.labelled)
			count(pgps_unlabelled_hash(origin.usename, origin.datname), now);
		put_row(&origin, now);
	}

	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
}

/* Called while the server loads its libraries */
void
pgps_rejections_install(void)
{
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = note_log;
}

/* Start again.  A rejection that comes at the same time may stay. */
void
pgps_rejections_reset(void)
{
	int			i;

	for (i = 0; i <= COUNTERS; i++)
	{
		pg_atomic_write_u64(&counters[i].count, 0);
		pg_atomic_write_u64(&counters[i].base, 0);
	}
	for (i = 0; i < pgps_max_rejections; i++)
	{
		Row		   *row = &rows[i];

		if (!claim(row, pg_atomic_read_u32(&row->changecount)))
			continue;
		row->minute = 0;
		pg_atomic_write_u64(&row->count, 0);
		publish(row);
	}
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

/* Copy a row; false if it is empty or just being written. */
static bool
copy_row(PgpsRejection *copy, Row *row)
{
	uint32		before = pg_atomic_read_u32(&row->changecount);

	if (before == 0 || (before & 1))
		return false;
	pg_read_barrier();
	copy->origin = row->origin;
	copy->first_rejected = row->first_rejected;
	copy->last_rejected = pg_atomic_read_u64(&row->last_rejected);
	copy->count = pg_atomic_read_u64(&row->count);
	pg_read_barrier();
	return copy->count > 0 &&
		pg_atomic_read_u32(&row->changecount) == before;
}

static int
compare_rejections(const void *a, const void *b)
{
	const PgpsRejection *x = a;
	const PgpsRejection *y = b;
	int			order = memcmp(&x->origin, &y->origin, sizeof(PgpsOrigin));

	if (x->first_rejected / USECS_PER_MINUTE != y->first_rejected / USECS_PER_MINUTE)
		return x->first_rejected < y->first_rejected ? -1 : 1;
	return order;
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = ((const PgpsRejection *) a)->first_rejected;
	TimestampTz y = ((const PgpsRejection *) b)->first_rejected;

	return x < y ? -1 : x > y;
}

static int
compare_counters(const void *a, const void *b)
{
	uint64		x = ((const PgpsRejected *) a)->hash;
	uint64		y = ((const PgpsRejected *) b)->hash;

	return x < y ? -1 : x > y;
}

/*
 * Copy table and counters into the current memory context.  Two processes may
 * have made a row for the same origin at the same time: they are one here.
 */
PgpsRejections *
pgps_rejections_copy(void)
{
	PgpsRejections *copy = palloc0(sizeof(PgpsRejections));
	PgpsRejection *r,
			   *same;
	int			i,
				n = 0;

	copy->rejections = palloc(pgps_max_rejections * sizeof(PgpsRejection));
	for (i = 0; i < pgps_max_rejections; i++)
	{
		memset(&copy->rejections[n], 0, sizeof(PgpsRejection));
		n += copy_row(&copy->rejections[n], &rows[i]);
	}
	qsort(copy->rejections, n, sizeof(PgpsRejection), compare_rejections);
	for (i = 0; i < n; i++)
	{
		same = &copy->rejections[copy->nrejections - 1];
		r = &copy->rejections[i];
		if (copy->nrejections > 0 && compare_rejections(r, same) == 0)
		{
			same->count += r->count;
			same->first_rejected = Min(same->first_rejected, r->first_rejected);
			same->last_rejected = Max(same->last_rejected, r->last_rejected);
		}
		else
			copy->rejections[copy->nrejections++] = *r;
	}

	qsort(copy->rejections, copy->nrejections, sizeof(PgpsRejection),
		  compare_times);

	copy->counters = palloc((COUNTERS + 1) * sizeof(PgpsRejected));
	for (i = 0; i <= COUNTERS; i++)
	{
		PgpsRejected *to = &copy->counters[copy->ncounters];

		to->hash = pg_atomic_read_u64(&counters[i].hash);
		to->count = pg_atomic_read_u64(&counters[i].count);
		to->base = pg_atomic_read_u64(&counters[i].base);
		to->last_rejected = pg_atomic_read_u64(&counters[i].last_rejected);
		copy->ncounters += to->count > 0;
	}
	qsort(copy->counters, copy->ncounters, sizeof(PgpsRejected),
		  compare_counters);
	return copy;
}

/* Make counters those that exporters get. */
void
pgps_rejections_leave_out_base(PgpsRejections *copy)
{
	int			i;

	for (i = 0; i < copy->ncounters; i++)
		copy->counters[i].count -= copy->counters[i].base;
}

/* Go on from what was saved.  Nobody else is there yet. */
void
pgps_rejections_restore(const PgpsRejections *saved, bool crashed)
{
	int			first = Max(saved->nrejections - pgps_max_rejections, 0);
	int			i;

	for (i = first; i < saved->nrejections; i++)
	{
		const PgpsRejection *r = &saved->rejections[i];
		Row		   *row = &rows[i - first];

		row->hash = hash_bytes_extended((const unsigned char *) &r->origin,
										sizeof(PgpsOrigin), 0);
		row->minute = r->first_rejected / USECS_PER_MINUTE;
		row->origin = r->origin;
		row->first_rejected = r->first_rejected;
		pg_atomic_write_u64(&row->last_rejected, r->last_rejected);
		pg_atomic_write_u64(&row->count, r->count);
		pg_atomic_write_u32(&row->changecount, 2);
	}
	for (i = 0; i < saved->ncounters; i++)
	{
		Counter    *counter = saved->counters[i].hash == 0 ?
			&counters[COUNTERS] : need_counter(saved->counters[i].hash);

		pg_atomic_fetch_add_u64(&counter->count, saved->counters[i].count);
		pg_atomic_fetch_add_u64(&counter->base, crashed ?
								saved->counters[i].count :
								saved->counters[i].base);
		pg_atomic_write_u64(&counter->last_rejected,
							saved->counters[i].last_rejected);
	}
}

/* What is counted under a hash; zeros if nothing is */
PgpsRejected
pgps_rejected(const PgpsRejections *rejections, uint64 hash)
{
	PgpsRejected key = {.hash = hash};
	const PgpsRejected *found;

	found = bsearch(&key, rejections->counters, rejections->ncounters,
					sizeof(PgpsRejected), compare_counters);
	return found ? *found : key;
}
