/*-------------------------------------------------------------------------
 *
 * rejected.c
 *	  How many connections were rejected, by name.
 *
 * A rejected connection is counted where its FATAL is logged, in a process that
 * may have no PGPROC: it can take no lock, allocate nothing and look into no
 * catalog, and all names are claims of whoever reached the port.  So counters
 * are found by a hash of the name, and there are two kinds of them.
 *
 * What is known has a counter of its own: see known.c.  All other names are
 * strangers', whatever the catalogs say of them.  They share a table in which
 * the one that was not rejected for longest gives way; what it had is added to
 * a total.  Who joins later takes his count along.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "datatype/timestamp.h"
#include "port/atomics.h"

#include "registry/known.h"
#include "registry/rejected.h"

#define STRANGERS 4096
#define PLACES 8				/* of a stranger's name */

/* hash of a stranger that is being replaced */
#define CHANGING PG_UINT64_MAX

static struct
{
	pg_atomic_uint32 any_stranger;
	PgpsCounter strangers[STRANGERS];
}		   *shared = NULL;

Size
pgps_rejected_size(void)
{
	return sizeof(*shared);
}

void
pgps_rejected_init(void *area, bool found)
{
	shared = area;
	if (found)
		return;
	pgps_know_total(0, pgps_server_hash());
	pgps_know_total(1, pgps_strangers_hash());
}

/*-------------------------------------------------------------------------
 * Names
 *-------------------------------------------------------------------------
 */

static uint64
hash_text(uint64 seed, const char *text)
{
	uint64		hash = hash_combine64(seed,
									  hash_bytes_extended((const unsigned char *) text,
														  strlen(text), 0));

	return hash == 0 || hash == CHANGING ? 1 : hash;
}

/* What is counted for whom: each kind has a seed of its own. */
uint64
pgps_server_hash(void)
{
	return pgps_total_hash("(server)");
}

/* what strangers had whose counters are not kept */
uint64
pgps_strangers_hash(void)
{
	return pgps_total_hash("(strangers)");
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

/* all connections of a role to a database that brought no label */
uint64
pgps_unlabelled_hash(const char *usename, const char *datname)
{
	return hash_text(hash_text(6, usename), datname);
}

/* of no name: a reason, or something in parentheses */
uint64
pgps_total_hash(const char *what)
{
	return hash_text(7, what);
}

/*-------------------------------------------------------------------------
 * Counters
 *-------------------------------------------------------------------------
 */

/* The first of the places that a stranger may have */
static inline PgpsCounter *
places_of(uint64 hash)
{
	return &shared->strangers[pgps_secret_hash(hash) %
							  (STRANGERS / PLACES) * PLACES];
}

/* what strangers had whose counters are not kept */
static inline PgpsCounter *
rest(void)
{
	return pgps_known_total(1);
}

static void
add(PgpsCounter *counter, const PgpsRejected *more)
{
	PgpsTally  *to = &counter->by[more->by];

	pg_atomic_fetch_add_u64(&to->count, more->count);
	if (more->base > 0)
		pg_atomic_fetch_add_u64(&to->base, more->base);
	if (more->last_rejected > (TimestampTz) pg_atomic_read_u64(&to->last_rejected))
		pg_atomic_write_u64(&to->last_rejected, more->last_rejected);
}

/* Take what was counted, of one kind; false if nothing was. */
bool
pgps_take_rejected(PgpsCounter *counter, PgpsRejecter by, PgpsRejected *taken)
{
	PgpsTally  *from = &counter->by[by];

	if (pg_atomic_read_u64(&from->count) == 0)
		return false;
	taken->hash = pg_atomic_read_u64(&counter->hash);
	taken->by = by;
	taken->count = pg_atomic_exchange_u64(&from->count, 0);
	taken->base = pg_atomic_exchange_u64(&from->base, 0);
	taken->last_rejected = pg_atomic_exchange_u64(&from->last_rejected, 0);
	return true;
}

/* Take all; who has it next may be NULL. */
void
pgps_move_rejected(PgpsCounter *to, PgpsCounter *from)
{
	PgpsRejected moved;
	int			by;

	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		if (pgps_take_rejected(from, by, &moved) && to != NULL)
			add(to, &moved);
	}
}

/* When it was last rejected, for whatever reason */
static TimestampTz
last_of(PgpsCounter *counter)
{
	TimestampTz last = 0;
	int			by;

	for (by = 0; by < PGPS_REJECTERS; by++)
		last = Max(last, (TimestampTz) pg_atomic_read_u64(&counter->by[by].last_rejected));
	return last;
}

/* Make a place of strangers ours, if it still is whose it was. */
static bool
replace(PgpsCounter *place, uint64 whose)
{
	if (whose == CHANGING ||
		!pg_atomic_compare_exchange_u64(&place->hash, &whose, CHANGING))
		return false;
	pgps_move_rejected(rest(), place);
	return true;
}

/*
 * Count for a stranger.  Two processes may make the same one at the same time:
 * readers add them up.  If all places are being changed, the total has it.
 */
static void
add_stranger(const PgpsRejected *more)
{
	uint64		hash = more->hash;
	PgpsCounter *places = places_of(hash);
	PgpsCounter *oldest = NULL;
	TimestampTz oldest_last = 0;
	uint64		whose = CHANGING;
	int			i;

	pg_atomic_write_u32(&shared->any_stranger, 1);
	for (i = 0; i < PLACES; i++)
	{
		PgpsCounter *place = &places[i];
		uint64		there = pg_atomic_read_u64(&place->hash);

		if (there == hash)
		{
			add(place, more);
			return;
		}
		if (there != CHANGING &&
			(oldest == NULL || last_of(place) < oldest_last))
		{
			oldest = place;
			oldest_last = last_of(place);
			whose = there;
		}
	}
	if (oldest != NULL && replace(oldest, whose))
	{
		add(oldest, more);
		pg_atomic_write_u64(&oldest->hash, hash);
	}
	else
		add(rest(), more);
}

void
pgps_add_rejected(const PgpsRejected *more)
{
	PgpsCounter *counter = pgps_find_known(more->hash);

	if (counter != NULL)
		add(counter, more);
	else
		add_stranger(more);
}

void
pgps_count_rejected(uint64 hash, PgpsRejecter by, TimestampTz now)
{
	PgpsRejected one = {
		.hash = hash,
		.by = by,
		.count = 1,
		.last_rejected = now
	};

	pgps_add_rejected(&one);
}

/* A name is known from now on: its counter has what strangers counted. */
void
pgps_take_strangers(PgpsCounter *counter, uint64 hash)
{
	PgpsCounter *places = places_of(hash);
	int			i;

	for (i = 0; i < PLACES && pg_atomic_read_u32(&shared->any_stranger); i++)
	{
		uint64		whose = hash;

		if (pg_atomic_compare_exchange_u64(&places[i].hash, &whose, CHANGING))
		{
			pgps_move_rejected(counter, &places[i]);
			pg_atomic_write_u64(&places[i].hash, 0);
		}
	}
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

int
pgps_compare_rejected(const void *a, const void *b)
{
	const PgpsRejected *x = a;
	const PgpsRejected *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (int) x->by - (int) y->by;
}

/* Copy what was counted; returns how much that is. */
static int
copy_counter(PgpsRejected *to, PgpsCounter *counter)
{
	uint64		hash = pg_atomic_read_u64(&counter->hash);
	int			n = 0;
	int			by;

	if (hash == 0 || hash == CHANGING)
		return 0;
	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		PgpsTally  *from = &counter->by[by];
		PgpsRejected copy = {
			.hash = hash,
			.by = by,
			.count = pg_atomic_read_u64(&from->count),
			.base = pg_atomic_read_u64(&from->base),
			.last_rejected = pg_atomic_read_u64(&from->last_rejected)
		};

		if (copy.count > 0)
			to[n++] = copy;
	}
	return n;
}

/*
 * Copy those that have counted something into the current memory context,
 * sorted, each once.  Returns how many.
 */
int
pgps_rejected_copy(PgpsRejected **copy)
{
	int			nstrangers = pg_atomic_read_u32(&shared->any_stranger) ? STRANGERS : 0;
	PgpsRejected *to;
	PgpsCounter *counter;
	int32		next = 0;
	int			n = 0,
				all = 0;
	int			i;

	/* most of it is not touched */
	to = *copy = palloc_extended(((Size) pgps_max_known() + nstrangers) *
								 PGPS_REJECTERS * sizeof(PgpsRejected),
								 MCXT_ALLOC_HUGE);
	while ((counter = pgps_next_known(&next)) != NULL)
		all += copy_counter(&to[all], counter);
	for (i = 0; i < nstrangers; i++)
		all += copy_counter(&to[all], &shared->strangers[i]);
	if (all == 0)
		return 0;

	qsort(to, all, sizeof(PgpsRejected), pgps_compare_rejected);
	for (i = 1; i < all; i++)
	{
		if (pgps_compare_rejected(&to[i], &to[n]) == 0)
		{
			to[n].count += to[i].count;
			to[n].base += to[i].base;
			to[n].last_rejected = Max(to[n].last_rejected, to[i].last_rejected);
		}
		else
			to[++n] = to[i];
	}
	return n + 1;
}

/* Start again.  A rejection that comes at the same time may stay. */
void
pgps_rejected_reset(void)
{
	PgpsCounter *counter;
	int32		next = 0;
	int			i;

	while ((counter = pgps_next_known(&next)) != NULL)
		pgps_move_rejected(NULL, counter);
	for (i = 0; i < STRANGERS && pg_atomic_read_u32(&shared->any_stranger); i++)
		pgps_move_rejected(NULL, &shared->strangers[i]);
}

/* Go on from what was saved, when all that is known is there. */
void
pgps_rejected_restore(const PgpsRejected *saved, bool crashed)
{
	PgpsRejected more = *saved;

	if (crashed)
		more.base = more.count;
	pgps_add_rejected(&more);
}
