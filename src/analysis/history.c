/*-------------------------------------------------------------------------
 *
 * history.c
 *	  What each pool did, minute by minute for an hour and in steps of ten
 *	  minutes for a day.
 *
 * A ring of buckets for each pool's entry and one for the server, in shared
 * memory.  The collector alone writes; PGPS_HISTORY_LOCK keeps readers from
 * seeing a bucket half written.  A ring belongs to the pool that was first
 * seen at the time in the ring: since then its entry may have been given to
 * another pool.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "analysis/history.h"
#include "base/clock.h"
#include "base/shmem.h"

typedef struct Ring
{
	TimestampTz owner;			/* first_seen of its pool */
	bool		restored;		/* "total" is not known yet */
	int64		total[PGPS_COUNTS]; /* counters at the last pass */
	PgpsBucket	minutes[PGPS_NMINUTES];
	PgpsBucket	ten_minutes[PGPS_NTEN_MINUTES];
} Ring;

/* a pool at one moment; its counters are totals since it was first seen */
typedef struct Seen
{
	int32		index;
	TimestampTz owner;
	PgpsBucket	now;
} Seen;

static Ring *rings = NULL;

/* it comes after the rings of the pools */
#define SERVER_RING pgps_pool_capacity()

/* which counter of a pool each of ours follows; rejections are counted apart */
static const int followed[PGPS_COUNTS] = {
	[PGPS_COUNT_CHECKOUTS] = PGPS_CHECKOUTS,
	[PGPS_COUNT_WAITS] = PGPS_WAITS,
	[PGPS_COUNT_WAIT_TIME] = PGPS_TOTAL_WAIT_TIME,
	[PGPS_COUNT_TIMEOUTS] = PGPS_TIMEOUTS,
	[PGPS_COUNT_ERRORS] = PGPS_ERRORS,
	[PGPS_COUNT_CONNECTS] = PGPS_CONNECTS,
	[PGPS_COUNT_XACTS] = PGPS_SERVER_XACTS,
	[PGPS_COUNT_XACT_TIME] = PGPS_XACT_TIME
};

Size
pgps_history_size(void)
{
	return mul_size(SERVER_RING + 1, sizeof(Ring));
}

void
pgps_history_init(void *area, bool found)
{
	rings = area;
}

/* In microseconds */
int64
pgps_period_length(PgpsPeriod period)
{
	return period == PGPS_MINUTES ? USECS_PER_MINUTE : 10 * USECS_PER_MINUTE;
}

/* Start of the bucket that a moment belongs to */
TimestampTz
pgps_bucket_start(PgpsPeriod period, TimestampTz now)
{
	return now - pgps_floor_mod(now, pgps_period_length(period));
}

static int
bucket_count(PgpsPeriod period)
{
	return period == PGPS_MINUTES ? PGPS_NMINUTES : PGPS_NTEN_MINUTES;
}

/* Place in the ring of the bucket with this start */
int
pgps_bucket_place(PgpsPeriod period, TimestampTz start)
{
	return pgps_floor_mod(start / pgps_period_length(period),
						  bucket_count(period));
}

static PgpsBucket *
place_of(Ring *ring, PgpsPeriod period, TimestampTz start)
{
	PgpsBucket *buckets = period == PGPS_MINUTES ? ring->minutes :
		ring->ten_minutes;

	return &buckets[pgps_bucket_place(period, start)];
}

/*-------------------------------------------------------------------------
 * Writing
 *-------------------------------------------------------------------------
 */

static void
raise_max(int32 *max, int32 seen)
{
	*max = Max(*max, seen);
}

/* Keep the smaller value; a negative one is unknown. */
static void
lower_min(int32 *min, int32 seen)
{
	if (seen >= 0 && (*min < 0 || seen < *min))
		*min = seen;
}

static void
add_to_bucket(PgpsBucket *bucket, TimestampTz start, const PgpsBucket *seen,
			  const int64 *rise)
{
	int			c;

	if (bucket->start != start)
	{
		*bucket = *seen;
		bucket->start = start;
		memcpy(bucket->count, rise, sizeof(bucket->count));
		return;
	}
	raise_max(&bucket->instances, seen->instances);
	lower_min(&bucket->min_connections, seen->min_connections);
	raise_max(&bucket->max_connections, seen->max_connections);
	lower_min(&bucket->min_checked_out, seen->min_checked_out);
	raise_max(&bucket->max_checked_out, seen->max_checked_out);
	raise_max(&bucket->max_in_xact, seen->max_in_xact);
	raise_max(&bucket->max_waiting, seen->max_waiting);
	raise_max(&bucket->max_used, seen->max_used);
	raise_max(&bucket->max_lent, seen->max_lent);
	bucket->watched = seen->watched;
	memcpy(bucket->busiest, seen->busiest, sizeof(bucket->busiest));
	for (c = 0; c < PGPS_COUNTS; c++)
	{
		if (rise[c] >= 0)
			bucket->count[c] = Max(bucket->count[c], 0) + rise[c];
	}
}

/*
 * How much the counters rose since the last pass.  A total that fell was
 * reset: what is left has been counted since.
 */
static void
work_out_rise(const Ring *ring, const PgpsBucket *seen, int64 *rise)
{
	int			c;

	for (c = 0; c < PGPS_COUNTS; c++)
	{
		int64		before = Max(ring->total[c], 0);

		if (seen->count[c] < 0)
			rise[c] = -1;
		else if (ring->restored)
			rise[c] = 0;
		else if (seen->count[c] < before)
			rise[c] = seen->count[c];
		else
			rise[c] = seen->count[c] - before;
	}
}

static void
note_bucket(const Seen *seen, TimestampTz now)
{
	Ring	   *ring = &rings[seen->index];
	int64		rise[PGPS_COUNTS];
	PgpsPeriod	period;

	if (ring->owner != seen->owner)
	{
		memset(ring, 0, sizeof(Ring));
		ring->owner = seen->owner;
	}
	work_out_rise(ring, &seen->now, rise);
	memcpy(ring->total, seen->now.count, sizeof(ring->total));
	ring->restored = false;
	for (period = 0; period < PGPS_PERIODS; period++)
	{
		TimestampTz start = pgps_bucket_start(period, now);

		add_to_bucket(place_of(ring, period, start), start, &seen->now, rise);
	}
}

static int32
clamp(int64 value)
{
	return Min(value, PG_INT32_MAX);
}

static void
see_pool(Seen *seen, const PgpsPoolState *pool, const PgpsRejections *rejections)
{
	PgpsBucket *now = &seen->now;
	uint64		hash = pgps_pool_hash(NameStr(pool->data->usename),
									  NameStr(pool->data->datname),
									  pool->data->key.name);
	int			i;

	seen->index = pool->copy->index;
	seen->owner = pool->data->first_seen;
	now->instances = pool->live;
	now->min_connections = now->max_connections = pool->connections;
	now->min_checked_out = now->max_checked_out =
		clamp(pgps_get(&pool->sum, PGPS_CHECKED_OUT, -1));
	now->max_in_xact = pool->in_xact;
	now->max_waiting = clamp(pgps_get(&pool->sum, PGPS_WAITING, -1));
	now->max_used = pool->fullest_pct < 0 ? -1 :
		clamp(pool->fullest_pct * 10);
	now->max_lent = pool->lent;
	for (i = 0; i < PGPS_COUNTS; i++)
		now->count[i] = i == PGPS_COUNT_REJECTED ?
			pgps_rejected(rejections, hash).count :
			pgps_count(&pool->counters, followed[i], -1);
}

/* For the server only its use is kept. */
static void
see_server(Seen *seen)
{
	int			used = pgps_client_processes();
	int			usable = pgps_server_usable(InvalidOid);

	memset(seen, 0, sizeof(Seen));
	seen->index = SERVER_RING;
	seen->now.min_connections = seen->now.max_connections = used;
	seen->now.max_used = usable > 0 ? (int32) ((int64) used * 1000 / usable) : -1;
}

/* Add one look at all pools and the server, by the collector */
void
pgps_history_note(const PgpsSnapshot *snapshot)
{
	Seen	   *seen = palloc((snapshot->npools + 1) * sizeof(Seen));
	int64		watched;
	int			i;

	watched = pgps_watch_load(snapshot,
							  pgps_bucket_start(PGPS_TEN_MINUTES,
												snapshot->taken_at));
	for (i = 0; i < snapshot->npools; i++)
	{
		see_pool(&seen[i], &snapshot->pools[i], snapshot->rejections);
		seen[i].now.watched = watched;
		pgps_busiest(&snapshot->pools[i], seen[i].now.busiest);
	}
	see_server(&seen[snapshot->npools]);

	pgps_acquire(PGPS_HISTORY_LOCK, LW_EXCLUSIVE);
	for (i = 0; i <= snapshot->npools; i++)
		note_bucket(&seen[i], snapshot->taken_at);
	pgps_release(PGPS_HISTORY_LOCK);
	pfree(seen);
}

/*-------------------------------------------------------------------------
 * Reading
 *-------------------------------------------------------------------------
 */

/*
 * Copy what is kept of a pool, oldest first.  There is room for
 * PGPS_NTEN_MINUTES buckets.  Returns how many there are.
 */
int
pgps_history_read(const PgpsPoolCopy *pool, PgpsPeriod period, TimestampTz now,
				  PgpsBucket *buckets)
{
	Ring	   *ring = &rings[pool->index];
	int			n = 0;
	int			i;

	pgps_acquire(PGPS_HISTORY_LOCK, LW_SHARED);
	for (i = bucket_count(period) - 1; i >= 0; i--)
	{
		TimestampTz start = pgps_bucket_start(period, now) -
			i * pgps_period_length(period);
		const PgpsBucket *bucket = place_of(ring, period, start);

		if (ring->owner == pool->data.first_seen && bucket->start == start)
			buckets[n++] = *bucket;
	}
	pgps_release(PGPS_HISTORY_LOCK);
	return n;
}

static void
read_digits(Ring *ring, TimestampTz now, int8 *digits)
{
	int			i;

	for (i = 0; i < PGPS_NMINUTES; i++)
	{
		TimestampTz start = pgps_bucket_start(PGPS_MINUTES, now) -
			(PGPS_NMINUTES - 1 - i) * USECS_PER_MINUTE;
		const PgpsBucket *bucket = place_of(ring, PGPS_MINUTES, start);
		int8	   *digit = &digits[i / (PGPS_NMINUTES / PGPS_DIGITS)];

		if (bucket->start == start && bucket->max_used >= 0)
			*digit = Max(*digit, Min(bucket->max_used / 100, PGPS_DIGIT_FULL));
	}
}

/* How full a pool's fullest instance was in the last hour; NULL: the server */
void
pgps_last_hour(const PgpsPoolCopy *pool, TimestampTz now, int8 *digits)
{
	Ring	   *ring = &rings[pool ? pool->index : SERVER_RING];

	memset(digits, PGPS_DIGIT_UNKNOWN, PGPS_DIGITS);
	pgps_acquire(PGPS_HISTORY_LOCK, LW_SHARED);
	if (pool == NULL || ring->owner == pool->data.first_seen)
		read_digits(ring, now, digits);
	pgps_release(PGPS_HISTORY_LOCK);
}

/* The fuller of two */
void
pgps_add_digits(int8 *digits, const int8 *more)
{
	int			i;

	for (i = 0; i < PGPS_DIGITS; i++)
		digits[i] = Max(digits[i], more[i]);
}

char *
pgps_digits_text(const int8 *digits)
{
	char	   *result = palloc(PGPS_DIGITS + 1);
	int			i;

	for (i = 0; i < PGPS_DIGITS; i++)
		result[i] = digits[i] == PGPS_DIGIT_UNKNOWN ? '-' :
			digits[i] == PGPS_DIGIT_FULL ? '*' : '0' + digits[i];
	result[PGPS_DIGITS] = '\0';
	return result;
}

/*-------------------------------------------------------------------------
 * Over a restart
 *-------------------------------------------------------------------------
 */

/* All buckets of the pools in a copy; returns their number. */
int
pgps_history_copy(const PgpsCopy *copy, PgpsSavedBucket **saved)
{
	TimestampTz now = GetCurrentTimestamp();
	PgpsBucket *buckets = palloc(PGPS_NTEN_MINUTES * sizeof(PgpsBucket));
	int			capacity = 1024;
	int			n = 0;
	int			i;

	*saved = palloc(capacity * sizeof(PgpsSavedBucket));
	for (i = 0; i < copy->npools; i++)
	{
		PgpsPeriod	period;

		for (period = 0; period < PGPS_PERIODS; period++)
		{
			int			more = pgps_history_read(&copy->pools[i], period, now,
												 buckets);
			int			b;

			if (n + more > capacity)
			{
				capacity = Max(2 * capacity, n + more);
				*saved = repalloc_huge(*saved,
									   capacity * sizeof(PgpsSavedBucket));
			}
			for (b = 0; b < more; b++)
			{
				PgpsSavedBucket *to = &(*saved)[n++];

				memset(to, 0, sizeof(PgpsSavedBucket));
				to->pool = copy->pools[i].index;
				to->owner = copy->pools[i].data.first_seen;
				to->period = period;
				to->bucket = buckets[b];
			}
		}
	}
	pfree(buckets);
	return n;
}

/* The ring belongs to the pool in this entry, and its counters go on. */
void
pgps_history_restore_pool(int32 pool, TimestampTz first_seen)
{
	Ring	   *ring = &rings[pool];

	ring->owner = first_seen;
	ring->restored = true;
}

/* The history of a pool that did not get an entry of its own again is lost. */
void
pgps_history_restore(const PgpsSavedBucket *saved, int32 pool)
{
	if (rings[pool].owner == saved->owner)
		*place_of(&rings[pool], saved->period, saved->bucket.start) =
			saved->bucket;
}
