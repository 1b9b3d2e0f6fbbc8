/*-------------------------------------------------------------------------
 *
 * history.c
 *	  What each pool did, minute by minute for an hour and in steps of ten
 *	  minutes for a day.
 *
 * The collector alone writes; PGPS_HISTORY_LOCK keeps readers from seeing a
 * bucket half written.  Where the buckets lie, and which pools have any, is
 * known to rings.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "analysis/budget.h"
#include "analysis/history.h"
#include "analysis/load.h"
#include "analysis/rings.h"
#include "analysis/snapshot.h"
#include "base/shmem.h"
#include "dialects/fields.h"
#include "registry/backends.h"
#include "registry/counters.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejections.h"

/* a pool at one moment; its counters are totals since it was first seen */
typedef struct Seen
{
	bool		in_use;
	PgpsBucket	now;
} Seen;

/* which counter of a pool each of ours follows; rejections are counted apart */
static const int followed[PGPS_COUNTS] = {
	[PGPS_COUNT_CHECKOUTS] = PGPS_CHECKOUTS,
	[PGPS_COUNT_WAITS] = PGPS_WAITS,
	[PGPS_COUNT_WAIT_TIME] = PGPS_TOTAL_WAIT_TIME,
	[PGPS_COUNT_TIMEOUTS] = PGPS_TIMEOUTS,
	[PGPS_COUNT_ERRORS] = PGPS_ERRORS,
	[PGPS_COUNT_CONNECTS] = PGPS_CONNECTS,
	[PGPS_COUNT_SESSIONS_ABANDONED] = PGPS_SESSIONS_ABANDONED,
	[PGPS_COUNT_SESSIONS_FATAL] = PGPS_SESSIONS_FATAL,
	[PGPS_COUNT_SESSIONS_KILLED] = PGPS_SESSIONS_KILLED,
	[PGPS_COUNT_XACTS] = PGPS_SERVER_XACTS,
	[PGPS_COUNT_XACT_TIME] = PGPS_XACT_TIME,
	[PGPS_COUNT_WAL_BYTES] = PGPS_WAL_BYTES,
	[PGPS_COUNT_CPU_TIME] = PGPS_CPU_TIME
};

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
add_to_bucket(PgpsBucket *bucket, const PgpsBucket *seen, const int64 *rise)
{
	int			c;

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
	pgps_load_add(&bucket->load, &seen->load);
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
work_out_rise(const PgpsRing *ring, const PgpsBucket *seen, int64 *rise)
{
	int			c;

	for (c = 0; c < PGPS_COUNTS; c++)
	{
		int64		before = Max(ring->total[c], 0);

		if (seen->count[c] < 0)
			rise[c] = -1;
		else if (ring->anew)
			rise[c] = 0;
		else if (seen->count[c] < before)
			rise[c] = seen->count[c];
		else
			rise[c] = seen->count[c] - before;
	}
}

static void
note_bucket(PgpsRing *ring, const Seen *seen, TimestampTz now)
{
	int64		rise[PGPS_COUNTS];
	PgpsPeriod	period;
	int			c;

	work_out_rise(ring, &seen->now, rise);
	memcpy(ring->total, seen->now.count, sizeof(ring->total));
	ring->anew = false;
	if (seen->in_use)
		ring->used_at = now;
	for (c = 0; c < PGPS_COUNTS; c++)
	{
		if (rise[c] > 0)
			ring->used_at = now;
	}
	for (period = 0; period < PGPS_PERIODS; period++)
	{
		TimestampTz start = pgps_bucket_start(period, now);
		PgpsBucket	bucket;

		if (pgps_bucket_get(&bucket, ring, period, start))
			add_to_bucket(&bucket, &seen->now, rise);
		else
		{
			bucket = seen->now;
			bucket.start = start;
			memcpy(bucket.count, rise, sizeof(bucket.count));
		}
		pgps_bucket_put(ring, period, &bucket);
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

	seen->in_use = pgps_is_in_use(pool);
	now->instances = pool->live;
	now->min_connections = now->max_connections = pool->connections;
	now->min_checked_out = now->max_checked_out =
		clamp(pgps_get(&pool->sum, PGPS_CHECKED_OUT, -1));
	now->max_in_xact = pool->in_xact;
	now->max_waiting = clamp(pgps_get(&pool->sum, PGPS_WAITING, -1));
	now->max_used = pool->fullest_pct < 0 ? -1 :
		clamp(pool->fullest_pct * 10);
	now->max_lent = pool->lent;
	now->load = *pgps_load_rise(pool->copy);
	now->cause = 0;
	for (i = 0; i < PGPS_COUNTS; i++)
	{
		int			by = i - PGPS_COUNT_REJECTED;

		now->count[i] = by >= 0 && by < PGPS_REJECTERS ?
			pgps_rejected_by(rejections, hash, by).count :
			pgps_count(&pool->counters, followed[i], -1);
	}
}

/* For the server only its use is kept. */
static void
see_server(Seen *seen)
{
	int			used = pgps_client_processes();
	int			usable = pgps_server_usable(InvalidOid);

	memset(seen, 0, sizeof(Seen));
	seen->now.min_connections = seen->now.max_connections = used;
	seen->now.max_used = usable > 0 ? (int32) ((int64) used * 1000 / usable) : -1;
}

/* Add one look at all pools and the server, by the collector */
void
pgps_history_note(const PgpsSnapshot *snapshot)
{
	Seen	   *seen = palloc(Max(snapshot->npools, 1) * sizeof(Seen));
	int32	   *rings = palloc(Max(snapshot->npools, 1) * sizeof(int32));
	TimestampTz last_pass = snapshot->info.last_pass != 0 ?
		snapshot->info.last_pass : snapshot->info.started_at;
	Seen		server;
	int64		watched;
	int			i;

	watched = pgps_watch_busy(snapshot,
							  pgps_bucket_start(PGPS_TEN_MINUTES,
												snapshot->taken_at));
	pgps_rings_assign(snapshot, last_pass, rings);
	for (i = 0; i < snapshot->npools; i++)
	{
		if (rings[i] == PGPS_NO_RING)
			continue;
		see_pool(&seen[i], &snapshot->pools[i], snapshot->rejections);
		seen[i].now.watched = watched;
		pgps_busiest(&snapshot->pools[i], seen[i].now.busiest);
	}
	see_server(&server);

	pgps_acquire(PGPS_HISTORY_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolCopy *pool = snapshot->pools[i].copy;
		TimestampTz first_seen = pool->data.first_seen;

		if (rings[i] == PGPS_NO_RING)
			continue;
		if (pgps_ring_of(pool->index, first_seen) != rings[i])
		{
			pgps_ring_start(rings[i], pool->index, first_seen,
							first_seen <= last_pass);
			pgps_ring(rings[i])->used_at = snapshot->taken_at;
		}
		note_bucket(pgps_ring(rings[i]), &seen[i], snapshot->taken_at);
	}
	note_bucket(pgps_server_ring, &server, snapshot->taken_at);
	pgps_release(PGPS_HISTORY_LOCK);
	pfree(seen);
	pfree(rings);
}

static void
note_cause(PgpsRing *ring, TimestampTz now, uint8 cause)
{
	PgpsPeriod	period;

	for (period = 0; period < PGPS_PERIODS; period++)
	{
		PgpsBucket	bucket;

		if (!pgps_bucket_get(&bucket, ring, period,
							 pgps_bucket_start(period, now)))
			continue;
		bucket.cause = cause;
		pgps_bucket_put(ring, period, &bucket);
	}
}

/* What holds up each pool at this pass, by its number; 0 = nothing is known. */
void
pgps_history_note_causes(const PgpsSnapshot *snapshot, const uint8 *causes)
{
	int			i;

	pgps_acquire(PGPS_HISTORY_LOCK, LW_EXCLUSIVE);
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolCopy *pool = snapshot->pools[i].copy;
		int32		ring;

		if (causes[pool->index] == 0)
			continue;
		ring = pgps_ring_of(pool->index, pool->data.first_seen);
		if (ring != PGPS_NO_RING)
			note_cause(pgps_ring(ring), snapshot->taken_at,
					   causes[pool->index]);
	}
	pgps_release(PGPS_HISTORY_LOCK);
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
	int32		ring;
	int			n = 0;
	int			i;

	if (!pgps_has_ring(pool->index))
		return 0;
	pgps_acquire(PGPS_HISTORY_LOCK, LW_SHARED);
	ring = pgps_ring_of(pool->index, pool->data.first_seen);
	for (i = pgps_period_count(period) - 1; i >= 0 && ring != PGPS_NO_RING; i--)
		n += pgps_bucket_get(&buckets[n], pgps_ring(ring), period,
							 pgps_bucket_start(period, now) -
							 i * pgps_period_length(period));
	pgps_release(PGPS_HISTORY_LOCK);
	return n;
}

static void
read_digits(const PgpsRing *ring, TimestampTz now, int8 *digits)
{
	int			i;

	for (i = 0; i < PGPS_NMINUTES; i++)
	{
		TimestampTz start = pgps_bucket_start(PGPS_MINUTES, now) -
			(PGPS_NMINUTES - 1 - i) * USECS_PER_MINUTE;
		PgpsBucket	bucket;
		int8	   *digit = &digits[i / (PGPS_NMINUTES / PGPS_DIGITS)];

		if (pgps_bucket_get(&bucket, ring, PGPS_MINUTES, start) &&
			bucket.max_used >= 0)
			*digit = Max(*digit, Min(bucket.max_used / 100, PGPS_DIGIT_FULL));
	}
}

/* How full a pool's fullest instance was in the last hour; NULL: the server */
void
pgps_last_hour(const PgpsPoolCopy *pool, TimestampTz now, int8 *digits)
{
	int32		ring = PGPS_NO_RING;

	memset(digits, PGPS_DIGIT_UNKNOWN, PGPS_DIGITS);
	if (pool != NULL && !pgps_has_ring(pool->index))
		return;
	pgps_acquire(PGPS_HISTORY_LOCK, LW_SHARED);
	if (pool != NULL)
		ring = pgps_ring_of(pool->index, pool->data.first_seen);
	if (pool == NULL)
		read_digits(pgps_server_ring, now, digits);
	else if (ring != PGPS_NO_RING)
		read_digits(pgps_ring(ring), now, digits);
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

/*
 * A bucket of the pool in this entry, which has it for itself.  What finds no
 * room is lost.
 */
void
pgps_history_restore(const PgpsSavedBucket *saved, int32 pool)
{
	int32		ring = pgps_ring_restore(pool, saved->owner);

	if (ring == PGPS_NO_RING)
		return;
	pgps_bucket_put(pgps_ring(ring), saved->period, &saved->bucket);
	pgps_ring(ring)->used_at = Max(pgps_ring(ring)->used_at,
								   saved->bucket.start);
}
