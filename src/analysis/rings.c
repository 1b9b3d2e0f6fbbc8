/*-------------------------------------------------------------------------
 *
 * rings.c
 *	  Which pools have history: there are fewer rings of buckets than pools.
 *
 * A pool gets a ring when it is live, or was seen since the last pass.  One
 * role may take half of the rings; when it has them, the pool of its own that
 * has not been in use for longest gives way to one that is.  When there is no
 * ring left although a role has its share left, the least used pool of the
 * role that has most gives way, unless it is live.  If there is none, the pool
 * has no history; how many have none is counted, for the notes of info.
 *
 * PGPS_HISTORY_LOCK guards the rings.  Only the collector changes them, so it
 * may look at them, and decide, without the lock.  Rings are taken from the
 * front: those that were never needed are not touched.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"

#include "analysis/rings.h"
#include "base/clock.h"
#include "base/settings.h"
#include "base/table.h"
#include "registry/registry.h"

/* a live pool that was not in use for so long gives way to one that is */
#define UNUSED (10 * USECS_PER_MINUTE)

/* so many give way in one pass */
#define GIVE_WAY_AT_ONCE 16

typedef struct Rings
{
	int32		high_water;		/* those below have been used */
	int32		without;		/* pools that got none at the last pass */
	int64		given_up;		/* rings that pools had to give up */
	int32		ring_of[FLEXIBLE_ARRAY_MEMBER]; /* by the pool's entry: number
												 * of its ring + 1; the ring
												 * says whether it is still so */
} Rings;

/* a pool that has a ring */
typedef struct Holder
{
	Oid			roleid;
	bool		live;
	TimestampTz used_at;
	int32		pool;			/* in the snapshot */
	int32		ring;
} Holder;

/* a role that has rings, or wants one */
typedef struct Role
{
	Oid			roleid;			/* hash key */
	int32		taken;
	int32		next;			/* its holders, the one that gives way first
								 * in front */
	int32		end;
	bool		refused;		/* no other role has one that may give way */
} Role;

static Rings *shared = NULL;
static PgpsRing *rings = NULL;
PgpsRing   *pgps_server_ring = NULL;

/*-------------------------------------------------------------------------
 * The rings
 *-------------------------------------------------------------------------
 */

static int32
ring_count(void)
{
	return Min(pgps_history_pools, pgps_pool_capacity());
}

/* of one role */
static int32
share(void)
{
	return Max(ring_count() / 2, 1);
}

static Size
head_size(void)
{
	return MAXALIGN(add_size(offsetof(Rings, ring_of),
							 mul_size(pgps_pool_capacity(), sizeof(int32))));
}

Size
pgps_history_size(void)
{
	return add_size(head_size(), mul_size(ring_count() + 1, sizeof(PgpsRing)));
}

/* The area is zeroed: nobody has a ring. */
void
pgps_history_init(void *area, bool found)
{
	shared = area;
	pgps_server_ring = (PgpsRing *) ((char *) area + head_size());
	rings = pgps_server_ring + 1;
}

PgpsRing *
pgps_ring(int32 ring)
{
	return &rings[ring];
}

/* The ring of the pool in this entry, or PGPS_NO_RING */
int32
pgps_ring_of(int32 pool, TimestampTz first_seen)
{
	int32		ring = shared->ring_of[pool] - 1;

	return ring != PGPS_NO_RING && rings[ring].pool == pool &&
		rings[ring].owner == first_seen ? ring : PGPS_NO_RING;
}

/*
 * Does a pool have a ring?  Without the lock, which readers need not take for each of
 * the many pools that have none; what is read then is looked up once more.
 */
bool
pgps_has_ring(int32 pool)
{
	return ((volatile int32 *) shared->ring_of)[pool] != 0;
}

/* From now on it is this pool's.  "anew": what it counted before is not known. */
void
pgps_ring_start(int32 ring, int32 pool, TimestampTz first_seen, bool anew)
{
	if (ring < shared->high_water)
		memset(&rings[ring], 0, sizeof(PgpsRing));
	shared->high_water = Max(shared->high_water, ring + 1);
	shared->ring_of[pool] = ring + 1;
	rings[ring].pool = pool;
	rings[ring].owner = first_seen;
	rings[ring].anew = anew;
}

/*
 * The ring of a saved pool.  While the server starts shares mean nothing yet,
 * and none gives way.
 */
int32
pgps_ring_restore(int32 pool, TimestampTz first_seen)
{
	int32		ring = pgps_ring_of(pool, first_seen);

	if (ring != PGPS_NO_RING)
		return ring;
	if (shared->high_water == ring_count())
	{
		/* history_pools was lowered */
		return PGPS_NO_RING;
	}
	ring = shared->high_water;
	pgps_ring_start(ring, pool, first_seen, true);
	return ring;
}

/*-------------------------------------------------------------------------
 * Who gets one
 *-------------------------------------------------------------------------
 */

/* Has it lent out connections, or is it in transactions? */
bool
pgps_is_in_use(const PgpsPoolState *pool)
{
	return pool->lent > 0 || pool->in_xact > 0;
}

static bool
wants_ring(const PgpsPoolState *pool, TimestampTz last_pass)
{
	return pool->live > 0 || pool->status_since > last_pass;
}

/* By role; who gives way first comes first. */
static int
compare_holders(const void *a, const void *b)
{
	const Holder *x = a;
	const Holder *y = b;

	if (x->roleid != y->roleid)
		return x->roleid < y->roleid ? -1 : 1;
	if (x->live != y->live)
		return x->live ? 1 : -1;
	return (x->used_at > y->used_at) - (x->used_at < y->used_at);
}

static Role *
need_role(HTAB *roles, Oid roleid)
{
	bool		found;
	Role	   *role = hash_search(roles, &roleid, HASH_ENTER, &found);

	if (!found)
	{
		role->taken = role->next = role->end = 0;
		role->refused = false;
	}
	return role;
}

/* The roles that have rings; sorts the holders. */
static HTAB *
find_roles(Holder *holders, int nholders)
{
	HTAB	   *roles = pgps_make_table("pgpool_stats roles with history", 64,
										sizeof(Oid), sizeof(Role));
	int			i;

	qsort(holders, nholders, sizeof(Holder), compare_holders);
	for (i = 0; i < nholders; i++)
	{
		Role	   *role = need_role(roles, holders[i].roleid);

		if (role->taken++ == 0)
			role->next = i;
		role->end = i + 1;
	}
	return roles;
}

/* The role that has most of those of which a pool may give way to this role's */
static Role *
role_to_give_way(HTAB *roles, const Role *own, const Holder *holders)
{
	Role	   *most = NULL;
	Role	   *role;
	HASH_SEQ_STATUS seq;

	hash_seq_init(&seq, roles);
	while ((role = hash_seq_search(&seq)) != NULL)
	{
		if (role->next < role->end && !holders[role->next].live &&
			(role->taken > own->taken || role == own) &&
			(most == NULL || role->taken > most->taken))
			most = role;
	}
	return most;
}

/* May a role's own pool give way to another one of it? */
static bool
may_give_way(const Role *role, const Holder *holders, const PgpsPoolState *to,
			 TimestampTz now)
{
	const Holder *holder = &holders[role->next];

	if (role->next == role->end)
		return false;
	return !holder->live ||
		(pgps_is_in_use(to) && pgps_elapsed(holder->used_at, now) > UNUSED);
}

/* A ring that its holder gives up, for this pool; or PGPS_NO_RING */
static int32
make_room(HTAB *roles, Role *own, const Holder *holders, int32 *assigned,
		  const PgpsPoolState *pool, TimestampTz now)
{
	Role	   *gives_way = own;
	const Holder *holder;

	if (own->taken >= share())
	{
		if (!may_give_way(own, holders, pool, now))
			return PGPS_NO_RING;
	}
	else if (!own->refused)
	{
		gives_way = role_to_give_way(roles, own, holders);
		own->refused = gives_way == NULL;
	}
	if (own->refused)
		return PGPS_NO_RING;
	holder = &holders[gives_way->next++];
	gives_way->taken--;
	assigned[holder->pool] = PGPS_NO_RING;
	return holder->ring;
}

/*
 * Decide which ring each pool of a snapshot has; the rings are started by the
 * caller.
 */
void
pgps_rings_assign(const PgpsSnapshot *snapshot, TimestampTz last_pass,
				  int32 *assigned)
{
	Holder	   *holders = palloc(Max(snapshot->npools, 1) * sizeof(Holder));
	bool	   *held = palloc0(Max(shared->high_water, 1) * sizeof(bool));
	HTAB	   *roles = NULL;
	int			nholders = 0;
	int32		next_free = 0;
	int			gave_way = 0;
	int			without = 0;
	int			i;

	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		int32		ring = pgps_ring_of(pool->copy->index, pool->data->first_seen);
		Holder	   *holder;

		assigned[i] = ring;
		if (ring == PGPS_NO_RING)
			continue;
		held[ring] = true;
		holder = &holders[nholders++];
		holder->roleid = pool->data->key.roleid;
		holder->live = pool->live > 0;
		holder->used_at = rings[ring].used_at;
		holder->pool = i;
		holder->ring = ring;
	}
	for (i = 0; i < snapshot->npools; i++)
	{
		const PgpsPoolState *pool = &snapshot->pools[i];
		Role	   *role;

		CHECK_FOR_INTERRUPTS();
		if (assigned[i] != PGPS_NO_RING || !wants_ring(pool, last_pass))
			continue;
		if (roles == NULL)
			roles = find_roles(holders, nholders);
		role = need_role(roles, pool->data->key.roleid);
		while (next_free < shared->high_water && held[next_free])
			next_free++;
		if (next_free < ring_count() &&
			role->taken < share())
			assigned[i] = next_free++;
		else if (gave_way < GIVE_WAY_AT_ONCE)
		{
			assigned[i] = make_room(roles, role, holders, assigned, pool,
									snapshot->taken_at);
			gave_way += assigned[i] != PGPS_NO_RING;
		}
		if (assigned[i] != PGPS_NO_RING)
			role->taken++;
		else
			without++;
	}
	shared->given_up += gave_way;
	shared->without = without;
}

/* The lock is not needed for a mere glance. */
bool
pgps_has_history(const PgpsPoolCopy *pool)
{
	return pgps_ring_of(pool->index, pool->data.first_seen) != PGPS_NO_RING;
}

/* How many pools have no history, and how many have lost theirs */
void
pgps_history_left_out(int *without, int64 *given_up)
{
	*without = shared->without;
	*given_up = shared->given_up;
}
