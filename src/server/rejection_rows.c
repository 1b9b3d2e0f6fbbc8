/*-------------------------------------------------------------------------
 *
 * rejection_rows.c
 *	  Rejected connections, a row for each origin and minute.
 *
 * Written where a FATAL is logged, maybe without a PGPROC: no lock, no
 * allocation, no catalog, and the same few steps however many rows there are.
 *
 * There are two rings of rows, of half of max_rejections each: one for origins
 * whose pool is known, and one for strangers, which anybody who reaches the
 * port can make up: of other pools, or a login from where the pool never logged
 * in.  In a ring the oldest row gives way.  So that a storm does
 * not push out its own beginning, nor others, a group (a pool; of strangers,
 * those of a role that is known, or all others) has rows for some origins a
 * minute as long as what gives way is older than an hour, and otherwise for a
 * few.  The other origins of the group share a row "(other)".
 *
 * A row is claimed by making its change count odd, with compare-and-swap.
 * Finding the row of an origin is a matter of the current minute alone: a
 * place in a small hash table that leads to a row of a minute before is free.
 * Two processes may make a row for one origin at the same time; readers see
 * one.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "base/settings.h"
#include "base/text.h"
#include "registry/known.h"
#include "registry/registry.h"
#include "registry/rejected.h"
#include "server/rejection_rows.h"

#define PLACES 8				/* where a row or a group may be found */
#define TRIES 10				/* of rows that others are writing */
#define GROUPS 1024

#define FEW 4					/* origins of a group a minute, always */
#define SOME 4					/* this part of the ring, if there is room */
#define KEPT_MINUTES 60			/* by what is not a group's first few */

typedef struct Row
{
	pg_atomic_uint32 changecount;	/* odd = being written; 0 = never used */
	uint64		hash;			/* of origin and minute */
	int64		minute;
	PgpsOrigin	origin;
	TimestampTz first_rejected;
	pg_atomic_uint64 last_rejected;
	pg_atomic_uint64 count;
} Row;

typedef struct Group
{
	pg_atomic_uint64 hash;		/* of its name and the minute */
	pg_atomic_uint64 minute;
	pg_atomic_uint32 origins;
} Group;

/* the part of shared memory that is one ring */
typedef struct Ring
{
	pg_atomic_uint64 next;		/* rows ever taken */
	int32		size;
	Row		   *rows;			/* at the same address in all processes */
	pg_atomic_uint32 *index;	/* numbers of rows + 1; twice as many */
} Ring;

static struct
{
	Ring		known;
	Ring		strangers;
	Group		groups[GROUPS];
}		   *shared = NULL;

static Size
ring_size(int32 rows)
{
	return add_size(MAXALIGN(mul_size(rows, sizeof(Row))),
					mul_size(2 * rows + PLACES, sizeof(pg_atomic_uint32)));
}

Size
pgps_rejection_rows_size(void)
{
	int32		strangers = pgps_max_rejections / 2;

	return add_size(MAXALIGN(sizeof(*shared)),
					add_size(MAXALIGN(ring_size(strangers)),
							 ring_size(pgps_max_rejections - strangers)));
}

static char *
init_ring(Ring *ring, int32 size, char *area)
{
	ring->size = size;
	ring->rows = (Row *) area;
	ring->index = (pg_atomic_uint32 *) (area + MAXALIGN(size * sizeof(Row)));
	return area + MAXALIGN(ring_size(size));
}

void
pgps_rejection_rows_init(void *area, bool found)
{
	int32		strangers = pgps_max_rejections / 2;
	char	   *rest = (char *) area + MAXALIGN(sizeof(*shared));

	shared = area;
	if (found)
		return;
	rest = init_ring(&shared->strangers, strangers, rest);
	init_ring(&shared->known, pgps_max_rejections - strangers, rest);
}

/*-------------------------------------------------------------------------
 * Origins and groups
 *-------------------------------------------------------------------------
 */

/* its bytes without what the compiler adds behind them, which a copy may lose */
#define ORIGIN_SIZE (offsetof(PgpsOrigin, client_addr) + PGPS_ADDR_LEN)

static uint64
hash_origin(const PgpsOrigin *origin, int64 minute)
{
	return hash_combine64(hash_bytes_extended((const unsigned char *) origin,
											  ORIGIN_SIZE, 0), minute);
}

/* Replace a text, padded with zeros. */
static void
put_other(char *text, Size size)
{
	memset(text, 0, size);
	strcpy(text, PGPS_OTHER);
}

/*
 * Its group.  Returns whether it is no stranger; "other" is the origin that
 * stands for those of the group without a row of their own.  A limit of a role
 * or a database says that there is one.
 */
static bool
find_group(const PgpsOrigin *origin, PgpsOrigin *other, uint64 *group)
{
	uint64		role = pgps_role_hash(origin->usename);
	uint64		pool = pgps_pool_hash(origin->usename, origin->datname,
									  origin->pool);

	*other = *origin;
	memset(other->client_addr, 0, sizeof(other->client_addr));
	put_other(other->application_name, sizeof(other->application_name));
	put_other(other->instance, sizeof(other->instance));
	if (pgps_is_known(pool))
	{
		*group = pool;
		return !origin->claimed;
	}
	other->labelled = true;		/* no label of ALTER ROLE is looked up */
	put_other(other->pool, sizeof(other->pool));
	if (origin->reason != PGPS_REASON_DATABASE &&
		!pgps_is_known(pgps_database_hash(origin->datname)))
		put_other(other->datname, sizeof(other->datname));
	*group = role;
	if (origin->reason != PGPS_REASON_ROLE && !pgps_is_known(role))
	{
		put_other(other->usename, sizeof(other->usename));
		*group = 0;
	}
	return false;
}

/*
 * Count a new origin of a group; returns how many it had in this minute.  One
 * of a minute before gives its place.  If there is none, what is new is one too
 * many.
 */
static uint32
count_origin(uint64 group, int64 minute)
{
	uint64		hash = hash_combine64(group, minute);
	int			i;

	for (i = 0; i < PLACES; i++)
	{
		Group	   *g = &shared->groups[(hash + i) % GROUPS];
		uint64		there = pg_atomic_read_u64(&g->hash);

		if (there != hash && pg_atomic_read_u64(&g->minute) != minute &&
			pg_atomic_compare_exchange_u64(&g->hash, &there, hash))
		{
			pg_atomic_write_u32(&g->origins, 0);
			pg_atomic_write_u64(&g->minute, minute);
			there = hash;
		}
		if (there == hash)
			return pg_atomic_fetch_add_u32(&g->origins, 1);
	}
	return PG_UINT32_MAX;
}

/*-------------------------------------------------------------------------
 * Rows
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

static pg_atomic_uint32 *
places_of(Ring *ring, uint64 hash)
{
	return &ring->index[hash % (2 * ring->size)];
}

/* Count an origin in its row, if it has one. */
static bool
count_in_row(Ring *ring, uint64 hash, TimestampTz now)
{
	pg_atomic_uint32 *places = places_of(ring, hash);
	int			i;

	for (i = 0; i < PLACES; i++)
	{
		uint32		n = pg_atomic_read_u32(&places[i]);
		Row		   *row = &ring->rows[n - 1];

		if (n == 0 || row->hash != hash ||
			(pg_atomic_read_u32(&row->changecount) & 1) != 0)
			continue;
		pg_atomic_fetch_add_u64(&row->count, 1);
		pg_atomic_write_u64(&row->last_rejected, now);
		return true;
	}
	return false;
}

/* Let a row be found: in a place that leads to none of this minute, if any. */
static void
index_row(Ring *ring, Row *row)
{
	pg_atomic_uint32 *places = places_of(ring, row->hash);
	int			i;

	for (i = 0; i < PLACES - 1; i++)
	{
		uint32		n = pg_atomic_read_u32(&places[i]);

		if ((n == 0 || ring->rows[n - 1].minute != row->minute) &&
			pg_atomic_compare_exchange_u32(&places[i], &n, row - ring->rows + 1))
			return;
	}
	pg_atomic_write_u32(&places[i], row - ring->rows + 1);
}

/* Would a new row push out nothing that is worth keeping? */
static bool
has_room(Ring *ring, int64 minute)
{
	Row		   *row = &ring->rows[pg_atomic_read_u64(&ring->next) % ring->size];

	return pg_atomic_read_u32(&row->changecount) == 0 ||
		row->minute + KEPT_MINUTES < minute;
}

/*
 * Make a row.  If others are writing all that are looked at, there is none:
 * then it is only in the counters.
 */
static void
make_row(Ring *ring, const PgpsRejection *rejection)
{
	int64		minute = rejection->first_rejected / USECS_PER_MINUTE;
	int			tries;

	for (tries = 0; tries < TRIES; tries++)
	{
		Row		   *row = &ring->rows[pg_atomic_fetch_add_u64(&ring->next, 1) %
									  ring->size];

		if (!claim(row, pg_atomic_read_u32(&row->changecount)))
			continue;
		row->hash = hash_origin(&rejection->origin, minute);
		row->minute = minute;
		row->origin = rejection->origin;
		row->first_rejected = rejection->first_rejected;
		pg_atomic_write_u64(&row->last_rejected, rejection->last_rejected);
		pg_atomic_write_u64(&row->count, rejection->count);
		publish(row);
		index_row(ring, row);
		return;
	}
}

/*
 * Count an origin in its row of this minute.  Returns false if that is one of
 * "(other)".
 */
bool
pgps_note_rejection(const PgpsOrigin *origin, TimestampTz now)
{
	PgpsRejection rejection = {
		.origin = *origin,
		.first_rejected = now,
		.last_rejected = now,
		.count = 1
	};
	int64		minute = now / USECS_PER_MINUTE;
	uint64		group;
	PgpsOrigin	other;
	Ring	   *ring = find_group(origin, &other, &group) ?
		&shared->known : &shared->strangers;
	uint32		before;

	if (count_in_row(ring, hash_origin(origin, minute), now))
		return true;
	before = count_origin(group, minute);
	if (before < FEW ||
		(before < ring->size / SOME && has_room(ring, minute)))
	{
		make_row(ring, &rejection);
		return true;
	}
	if (!count_in_row(ring, hash_origin(&other, minute), now))
	{
		rejection.origin = other;
		make_row(ring, &rejection);
	}
	return false;
}

/* Start again.  A rejection that comes at the same time may stay. */
static void
reset_ring(Ring *ring)
{
	int			i;

	for (i = 0; i < ring->size; i++)
	{
		Row		   *row = &ring->rows[i];
		uint32		changecount = pg_atomic_read_u32(&row->changecount);

		if (changecount == 0)
			break;				/* rows are used from the front */
		if (!claim(row, changecount))
			continue;
		row->hash = 0;
		row->minute = 0;
		pg_atomic_write_u64(&row->count, 0);
		publish(row);
	}
	memset(shared->groups, 0, sizeof(shared->groups));
}

void
pgps_rejection_rows_reset(void)
{
	reset_ring(&shared->known);
	reset_ring(&shared->strangers);
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
	memset(copy, 0, sizeof(PgpsRejection));
	copy->origin = row->origin;
	copy->first_rejected = row->first_rejected;
	copy->last_rejected = pg_atomic_read_u64(&row->last_rejected);
	copy->count = pg_atomic_read_u64(&row->count);
	pg_read_barrier();
	return copy->count > 0 &&
		pg_atomic_read_u32(&row->changecount) == before;
}

static int32
rows_used(Ring *ring)
{
	return Min(pg_atomic_read_u64(&ring->next), ring->size);
}

static int
compare_origins(const void *a, const void *b)
{
	const PgpsRejection *x = a;
	const PgpsRejection *y = b;

	if (x->first_rejected / USECS_PER_MINUTE != y->first_rejected / USECS_PER_MINUTE)
		return x->first_rejected < y->first_rejected ? -1 : 1;
	return memcmp(&x->origin, &y->origin, ORIGIN_SIZE);
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = ((const PgpsRejection *) a)->first_rejected;
	TimestampTz y = ((const PgpsRejection *) b)->first_rejected;

	return x < y ? -1 : x > y;
}

/*
 * Copy the rows into the current memory context, oldest first.  Returns how
 * many.
 */
int
pgps_rejection_rows_copy(PgpsRejection **copy)
{
	int32		known = rows_used(&shared->known);
	int32		strangers = rows_used(&shared->strangers);
	PgpsRejection *to = *copy = palloc_extended((known + strangers) *
												sizeof(PgpsRejection),
												MCXT_ALLOC_HUGE);
	int			all = 0,
				n = 0;
	int			i;

	for (i = 0; i < known; i++)
		all += copy_row(&to[all], &shared->known.rows[i]);
	for (i = 0; i < strangers; i++)
		all += copy_row(&to[all], &shared->strangers.rows[i]);
	if (all == 0)
		return 0;

	qsort(to, all, sizeof(PgpsRejection), compare_origins);
	for (i = 1; i < all; i++)
	{
		if (compare_origins(&to[i], &to[n]) == 0)
		{
			to[n].count += to[i].count;
			to[n].first_rejected = Min(to[n].first_rejected, to[i].first_rejected);
			to[n].last_rejected = Max(to[n].last_rejected, to[i].last_rejected);
		}
		else
			to[++n] = to[i];
	}
	qsort(to, n + 1, sizeof(PgpsRejection), compare_times);
	return n + 1;
}

/* Go on from what was saved, when all that is known is there. */
void
pgps_rejection_row_restore(const PgpsRejection *saved)
{
	PgpsOrigin	other;
	uint64		group;

	make_row(find_group(&saved->origin, &other, &group) ?
			 &shared->known : &shared->strangers, saved);
}
