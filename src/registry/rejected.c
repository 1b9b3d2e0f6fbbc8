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
 * What is known has connected or reported: each role and database that has a
 * peak, each pool and each instance of the registry has a counter of its own,
 * with the number of its entry.  It gets its name when the entry is made, under
 * the registry's exclusive lock, and keeps it as long as the entry lives.  An
 * index of chained counters finds it.  Nobody else can take it.
 *
 * All other names are strangers', whatever the catalogs say of them.  They
 * share a table in which the one that was not rejected for longest gives way;
 * what it had is added to a total.  Who joins later takes his count along.
 *
 * Locking: the index is changed under the registry's exclusive lock, and read
 * without one.  A counter that is taken out of a chain still points to the next
 * one, so who stands on it gets on, unless it is used for another name
 * meanwhile: who has found nothing looks again if "forgotten" has changed.
 * Chains are told apart by a secret, so that nobody can make a long one.
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

#include "base/settings.h"
#include "registry/entries.h"
#include "registry/peaks.h"
#include "registry/rejected.h"

#define STRANGERS 4096
#define PLACES 8				/* of a stranger's name */

/* so many steps are taken in a chain, and so often */
#define STEPS 64
#define TRIES 10

/* hash of a stranger that is being replaced */
#define CHANGING PG_UINT64_MAX

typedef struct Count
{
	pg_atomic_uint64 count;
	pg_atomic_uint64 base;
	pg_atomic_uint64 last_rejected;
} Count;

typedef struct Counter
{
	pg_atomic_uint64 hash;		/* 0 = free */
	Count		by[PGPS_REJECTERS];
} Counter;

typedef struct Known
{
	Counter		counter;		/* first */
	uint64		of;				/* of a pool: of its connections without
								 * label; of an instance: of its pool */
	uint32		next;			/* of its chain; its number + 1, 0 = none */
} Known;

/* each kind of known names has its part of the array */
typedef enum Kind
{
	TOTALS, PEAKS, KNOWN_POOLS, UNLABELLED, KNOWN_INSTANCES, KINDS
} Kind;

typedef struct Shared
{
	uint64		secret;
	pg_atomic_uint64 forgotten; /* names taken out of the index so far */
	pg_atomic_uint32 any_stranger;
	int32		high_water[KINDS];
} Shared;

static Shared *shared = NULL;
static Known *known = NULL;
static uint32 *chains = NULL;	/* first of each */
static Counter *strangers = NULL;

/* number of the first one of each kind, and of all of them */
static int32 first[KINDS + 1];

static void
lay_out(void)
{
	first[PEAKS] = PGPS_REJECTED_TOTALS;
	first[KNOWN_POOLS] = first[PEAKS] + pgps_peaks_max();
	first[UNLABELLED] = first[KNOWN_POOLS] + pgps_pool_capacity();
	first[KNOWN_INSTANCES] = first[UNLABELLED] + pgps_pool_capacity();
	first[KINDS] = first[KNOWN_INSTANCES] + pgps_instance_capacity();
}

Size
pgps_rejected_size(void)
{
	Size		size = MAXALIGN(sizeof(Shared));

	lay_out();
	size = add_size(size, STRANGERS * sizeof(Counter));
	size = add_size(size, mul_size(first[KINDS], sizeof(Known)));
	return add_size(size, mul_size(first[KINDS], sizeof(uint32)));
}

void
pgps_rejected_init(void *area, bool found)
{
	lay_out();
	shared = area;
	strangers = (Counter *) ((char *) area + MAXALIGN(sizeof(Shared)));
	known = (Known *) (strangers + STRANGERS);
	chains = (uint32 *) (known + first[KINDS]);
	if (found)
		return;
	if (!pg_strong_random(&shared->secret, sizeof(shared->secret)))
		shared->secret = MyStartTimestamp;
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

static inline Known *
known_of(Kind kind, int32 i)
{
	return &known[first[kind] + i];
}

static inline uint32 *
chain_of(uint64 hash)
{
	return &chains[hash_combine64(shared->secret, hash) % first[KINDS]];
}

/* The first of the places that a stranger may have */
static inline Counter *
places_of(uint64 hash)
{
	return &strangers[hash_combine64(shared->secret, hash) %
					  (STRANGERS / PLACES) * PLACES];
}

/* what strangers had whose counters are not kept */
static inline Counter *
rest(void)
{
	return &known_of(TOTALS, 1)->counter;
}

/* The one of a known name; NULL if there is none. */
static Counter *
find_known(uint64 hash)
{
	uint32		all = first[KINDS];
	volatile uint32 *chain = chain_of(hash);
	int			tries;

	for (tries = 0; tries < TRIES; tries++)
	{
		uint64		forgotten = pg_atomic_read_u64(&shared->forgotten);
		uint32		next;
		int			steps;

		pg_read_barrier();
		next = *chain;
		for (steps = 0; steps < STEPS && next > 0 && next <= all; steps++)
		{
			Known	   *k = &known[next - 1];

			if (pg_atomic_read_u64(&k->counter.hash) == hash)
				return &k->counter;
			next = ((volatile Known *) k)->next;
		}
		pg_read_barrier();
		if (pg_atomic_read_u64(&shared->forgotten) == forgotten)
			break;
	}
	return NULL;
}

bool
pgps_is_known(uint64 hash)
{
	return find_known(hash) != NULL;
}

/* The pool that has this name, or counts such connections without label */
int32
pgps_find_known_pool(uint64 hash)
{
	Counter    *counter = find_known(hash);
	int32		i;

	if (counter == NULL)
		return PGPS_NONE;
	i = (Known *) counter - known;
	if (i < first[KNOWN_POOLS] || i >= first[KNOWN_INSTANCES])
		return PGPS_NONE;
	return i - first[i < first[UNLABELLED] ? KNOWN_POOLS : UNLABELLED];
}

static void
add(Counter *counter, const PgpsRejected *more)
{
	Count	   *to = &counter->by[more->by];

	pg_atomic_fetch_add_u64(&to->count, more->count);
	if (more->base > 0)
		pg_atomic_fetch_add_u64(&to->base, more->base);
	if (more->last_rejected > (TimestampTz) pg_atomic_read_u64(&to->last_rejected))
		pg_atomic_write_u64(&to->last_rejected, more->last_rejected);
}

/* Take what was counted, of one kind; false if nothing was. */
static bool
take(Counter *counter, PgpsRejecter by, PgpsRejected *taken)
{
	Count	   *from = &counter->by[by];

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
static void
move(Counter *to, Counter *from)
{
	PgpsRejected moved;
	int			by;

	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		if (take(from, by, &moved) && to != NULL)
			add(to, &moved);
	}
}

/* When it was last rejected, for whatever reason */
static TimestampTz
last_of(Counter *counter)
{
	TimestampTz last = 0;
	int			by;

	for (by = 0; by < PGPS_REJECTERS; by++)
		last = Max(last, (TimestampTz) pg_atomic_read_u64(&counter->by[by].last_rejected));
	return last;
}

/* Make a place of strangers ours, if it still is whose it was. */
static bool
replace(Counter *place, uint64 whose)
{
	if (whose == CHANGING ||
		!pg_atomic_compare_exchange_u64(&place->hash, &whose, CHANGING))
		return false;
	move(rest(), place);
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
	Counter    *places = places_of(hash);
	Counter    *oldest = NULL;
	TimestampTz oldest_last = 0;
	uint64		whose = CHANGING;
	int			i;

	pg_atomic_write_u32(&shared->any_stranger, 1);
	for (i = 0; i < PLACES; i++)
	{
		Counter    *place = &places[i];
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

static void
add_to_name(const PgpsRejected *more)
{
	Counter    *counter = find_known(more->hash);

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

	add_to_name(&one);
}

/*-------------------------------------------------------------------------
 * What is known
 *-------------------------------------------------------------------------
 */

/* Take a name out of the index. */
static void
unlink_name(Known *k)
{
	uint32	   *link = chain_of(pg_atomic_read_u64(&k->counter.hash));

	while (*link != k - known + 1)
		link = &known[*link - 1].next;
	*link = k->next;
	pg_write_barrier();
	pg_atomic_fetch_add_u64(&shared->forgotten, 1);
	pg_atomic_write_u64(&k->counter.hash, 0);
	pg_write_barrier();
}

/*
 * Something has this name from now on; it keeps its count.  What strangers
 * counted under the name is added.
 */
static void
name(Kind kind, int32 i, uint64 hash)
{
	Known	   *k = known_of(kind, i);
	uint64		old = pg_atomic_read_u64(&k->counter.hash);
	Counter    *places = places_of(hash);
	uint32	   *chain = chain_of(hash);
	int			n;

	if (old == hash)
		return;
	if (old != 0)
		unlink_name(k);
	shared->high_water[kind] = Max(shared->high_water[kind], i + 1);
	k->next = *chain;
	pg_atomic_write_u64(&k->counter.hash, hash);
	pg_write_barrier();
	*chain = k - known + 1;

	for (n = 0; n < PLACES && pg_atomic_read_u32(&shared->any_stranger); n++)
	{
		uint64		whose = hash;

		if (pg_atomic_compare_exchange_u64(&places[n].hash, &whose, CHANGING))
		{
			move(&k->counter, &places[n]);
			pg_atomic_write_u64(&places[n].hash, 0);
		}
	}
}

/* The name is a stranger's again, or nobody's: then its count is dropped. */
static void
forget(Kind kind, int32 i, bool keep)
{
	Known	   *k = known_of(kind, i);
	uint64		hash = pg_atomic_read_u64(&k->counter.hash);
	PgpsRejected had;
	int			by;

	if (hash == 0)
		return;
	unlink_name(k);
	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		if (!take(&k->counter, by, &had) || !keep)
			continue;
		had.hash = hash;
		add_to_name(&had);
	}
}

void
pgps_know_total(int n, uint64 hash)
{
	Assert(n < PGPS_REJECTED_TOTALS);
	name(TOTALS, n, hash);
}

void
pgps_know_peak(int32 i, uint64 hash)
{
	name(PEAKS, i, hash);
}

void
pgps_forget_peak(int32 i)
{
	forget(PEAKS, i, true);
}

/*
 * A pool is made, or joined: then it may have been "renamed", with its role or
 * database.  Connections of a role to a database without label are counted with
 * the first of their pools; when that goes, another one takes it over.
 */
void
pgps_know_pool(int32 i, const PgpsPool *pool, bool renamed)
{
	Known	   *k = known_of(KNOWN_POOLS, i);
	const char *usename = NameStr(pool->usename);
	const char *datname = NameStr(pool->datname);

	if (renamed)
	{
		name(KNOWN_POOLS, i, pgps_pool_hash(usename, datname, pool->key.name));
		k->of = pgps_unlabelled_hash(usename, datname);
	}
	if (find_known(k->of) == NULL)
		name(UNLABELLED, i, k->of);
}

void
pgps_forget_pool(int32 i)
{
	forget(KNOWN_POOLS, i, true);
	forget(UNLABELLED, i, true);
}

/* A pool gives way: another one takes its count. */
void
pgps_inherit_rejected(int32 heir, int32 pool)
{
	move(&known_of(KNOWN_POOLS, heir)->counter,
		 &known_of(KNOWN_POOLS, pool)->counter);
}

/* An instance is made, or joined. */
void
pgps_know_instance(int32 i, const PgpsPool *pool, const PgpsInstance *instance)
{
	Known	   *k = known_of(KNOWN_INSTANCES, i);
	uint64		of = pg_atomic_read_u64(&known_of(KNOWN_POOLS, instance->pool)->counter.hash);

	if (pg_atomic_read_u64(&k->counter.hash) != 0 && k->of == of)
		return;
	k->of = of;
	name(KNOWN_INSTANCES, i,
		 pgps_instance_hash(NameStr(pool->usename), NameStr(pool->datname),
							pool->key.name, instance->name));
}

/* Its pool has counted all of it, too. */
void
pgps_forget_instance(int32 i)
{
	forget(KNOWN_INSTANCES, i, false);
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
copy_counter(PgpsRejected *to, Counter *counter)
{
	uint64		hash = pg_atomic_read_u64(&counter->hash);
	int			n = 0;
	int			by;

	if (hash == 0 || hash == CHANGING)
		return 0;
	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		Count	   *from = &counter->by[by];
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
	int32		used[KINDS];
	Size		max = nstrangers;
	PgpsRejected *to;
	int			n = 0,
				all = 0;
	int			kind;
	int			i;

	for (kind = 0; kind < KINDS; kind++)
	{
		used[kind] = *(volatile int32 *) &shared->high_water[kind];
		max += used[kind];
	}
	to = *copy = palloc_extended(max * PGPS_REJECTERS * sizeof(PgpsRejected),
								 MCXT_ALLOC_HUGE);
	for (kind = 0; kind < KINDS; kind++)
	{
		for (i = 0; i < used[kind]; i++)
			all += copy_counter(&to[all], &known_of(kind, i)->counter);
	}
	for (i = 0; i < nstrangers; i++)
		all += copy_counter(&to[all], &strangers[i]);
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
	int			kind;
	int			i;

	for (kind = 0; kind < KINDS; kind++)
	{
		for (i = 0; i < shared->high_water[kind]; i++)
			move(NULL, &known_of(kind, i)->counter);
	}
	for (i = 0; i < STRANGERS && pg_atomic_read_u32(&shared->any_stranger); i++)
		move(NULL, &strangers[i]);
}

/* Go on from what was saved, when all that is known is there. */
void
pgps_rejected_restore(const PgpsRejected *saved, bool crashed)
{
	PgpsRejected more = *saved;

	if (crashed)
		more.base = more.count;
	add_to_name(&more);
}
