/*-------------------------------------------------------------------------
 *
 * known.c
 *	  A counter of rejected connections for each name that is known.
 *
 * What is known has connected or reported: each role and database that has a
 * peak, each pool and each instance of the registry has a counter, with the
 * number of its entry.  It gets its name when the entry is made, under the
 * registry's exclusive lock, and keeps it as long as the entry lives.  Nobody
 * else can take it.  What strangers counted under the name is added.
 *
 * An index of chained counters finds it.  It is read without a lock, where a
 * FATAL is logged: see rejected.c.  A counter that is taken out of a chain still
 * points to the next one, so who stands on it gets on, unless it is used for
 * another name meanwhile: who has found nothing looks again if "forgotten" has
 * changed.  Chains are told apart by a secret, so that nobody can make a long
 * one.
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

#include "registry/known.h"
#include "registry/peaks.h"
#include "registry/space.h"

/* so many steps are taken in a chain, and so often */
#define STEPS 64
#define TRIES 10

typedef struct Known
{
	PgpsCounter counter;		/* first */
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
	int32		high_water[KINDS];
} Shared;

static Shared *shared = NULL;
static Known *known = NULL;
static uint32 *chains = NULL;	/* first of each */

/* number of the first one of each kind, and of all of them */
static int32 first[KINDS + 1];

static void
lay_out(void)
{
	first[PEAKS] = PGPS_REJECTED_TOTALS;
	first[KNOWN_POOLS] = first[PEAKS] + pgps_peaks_capacity();
	first[UNLABELLED] = first[KNOWN_POOLS] + pgps_pool_capacity();
	first[KNOWN_INSTANCES] = first[UNLABELLED] + pgps_pool_capacity();
	first[KINDS] = first[KNOWN_INSTANCES] + pgps_instance_capacity();
}

Size
pgps_known_size(void)
{
	lay_out();
	return add_size(MAXALIGN(sizeof(Shared)),
					mul_size(first[KINDS], sizeof(Known) + sizeof(uint32)));
}

void
pgps_known_init(void *area, bool found)
{
	lay_out();
	shared = area;
	known = (Known *) ((char *) area + MAXALIGN(sizeof(Shared)));
	chains = (uint32 *) (known + first[KINDS]);
	if (!found &&
		!pg_strong_random(&shared->secret, sizeof(shared->secret)))
		shared->secret = MyStartTimestamp;
}

/* A hash that nobody outside can foresee */
uint64
pgps_secret_hash(uint64 hash)
{
	return hash_combine64(shared->secret, hash);
}

/*-------------------------------------------------------------------------
 * Finding
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
	return &chains[pgps_secret_hash(hash) % first[KINDS]];
}

/* The one of a known name; NULL if there is none. */
PgpsCounter *
pgps_find_known(uint64 hash)
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
	return pgps_find_known(hash) != NULL;
}

/* The pool that has this name, or counts such connections without label */
int32
pgps_find_known_pool(uint64 hash)
{
	PgpsCounter *counter = pgps_find_known(hash);
	int32		i;

	if (counter == NULL)
		return PGPS_NONE;
	i = (Known *) counter - known;
	if (i < first[KNOWN_POOLS] || i >= first[KNOWN_INSTANCES])
		return PGPS_NONE;
	return i - first[i < first[UNLABELLED] ? KNOWN_POOLS : UNLABELLED];
}

/*
 * The counters one after the other: of number *i, or the next one that may be
 * used, with *i beyond it.  NULL after the last one.
 */
PgpsCounter *
pgps_next_known(int32 *i)
{
	int			kind;

	for (kind = 0; kind < KINDS; kind++)
	{
		if (*i < first[kind] + shared->high_water[kind])
			return &known[(*i)++].counter;
		if (*i < first[kind + 1])
			*i = first[kind + 1];
	}
	return NULL;
}

/* how many of them there can be */
int32
pgps_max_known(void)
{
	return first[KINDS];
}

PgpsCounter *
pgps_known_total(int n)
{
	return &known_of(TOTALS, n)->counter;
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
	uint32	   *chain = chain_of(hash);

	if (old == hash)
		return;
	if (old != 0)
		unlink_name(k);
	shared->high_water[kind] = Max(shared->high_water[kind], i + 1);
	k->next = *chain;
	pg_atomic_write_u64(&k->counter.hash, hash);
	pg_write_barrier();
	*chain = k - known + 1;

	pgps_take_strangers(&k->counter, hash);
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
		if (!pgps_take_rejected(&k->counter, by, &had) || !keep)
			continue;
		had.hash = hash;
		pgps_add_rejected(&had);
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
	if (pgps_find_known(k->of) == NULL)
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
	pgps_move_rejected(&known_of(KNOWN_POOLS, heir)->counter,
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
