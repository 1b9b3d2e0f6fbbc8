/*-------------------------------------------------------------------------
 *
 * peaks.c
 *	  The most connections at once of the server, each role and database.
 *
 * Exact, because they are raised while a backend joins: under the registry's
 * exclusive lock, which also guards which entries there are.  The counts below
 * a peak are atomic, because an exiting backend takes no lock.  Readers take
 * only an entry's spinlock.
 *
 * When the table is full, the role or database that connected longest ago and
 * has no connection makes room.  All are listed by their last connect, so that
 * it is found at once: those in front that have a connection, if any, go to the
 * end.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/ilist.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#include "base/settings.h"
#include "registry/backends.h"
#include "registry/known.h"
#include "registry/peaks.h"
#include "registry/rejected.h"
#include "registry/space.h"

typedef struct PeakEntry
{
	PgpsNext	next;
	dlist_node	node;			/* of all, by their last connect */
	pg_atomic_uint32 current;
	slock_t		mutex;			/* guards data */
	PgpsPeak	data;
} PeakEntry;

typedef struct Peaks
{
	PgpsSpace	space;
	dlist_head	by_connect;		/* longest ago first */
	slock_t		mutex;			/* guards server */
	PgpsPeak	server;
} Peaks;

static Peaks *peaks = NULL;
static PgpsTable table;

/* where this session counts */
static PeakEntry *my_role = NULL;
static PeakEntry *my_database = NULL;

/*
 * Of roles and databases with a connection there are at most two for each
 * connection.
 */
int
pgps_peaks_capacity(void)
{
	return 2 * MaxConnections + pgps_max_instances;
}

/* The server's, and those of roles and databases */
int
pgps_peaks_max(void)
{
	return 1 + peaks->space.high_water;
}

Size
pgps_peaks_size(void)
{
	return add_size(MAXALIGN(sizeof(Peaks)),
					mul_size(pgps_peaks_capacity(), sizeof(PeakEntry) + sizeof(PgpsNext)));
}

void
pgps_peaks_init(void *area, bool found)
{
	char	   *entries = (char *) area + MAXALIGN(sizeof(Peaks));

	peaks = area;
	table = (PgpsTable)
	{
		&peaks->space, entries, sizeof(PeakEntry),
			(PgpsNext *) (entries + pgps_peaks_capacity() * sizeof(PeakEntry))
	};
	if (found)
		return;
	peaks->space.capacity = pgps_peaks_capacity();
	dlist_init(&peaks->by_connect);
	SpinLockInit(&peaks->mutex);
	peaks->server.scope = PGPS_SCOPE_SERVER;
}

static inline PeakEntry *
entry_of(int32 i)
{
	return (PeakEntry *) pgps_table_next(&table, i);
}

static inline int32
number_of(const PeakEntry *entry)
{
	return ((const char *) entry - table.entries) / sizeof(PeakEntry);
}

static uint32
hash_peak(PgpsScope scope, Oid oid)
{
	return hash_combine(hash_uint32(oid), hash_uint32(scope));
}

/* Give up what connected longest ago and has no connection; there is one. */
static void
make_room(void)
{
	for (;;)
	{
		PeakEntry  *oldest = dlist_container(PeakEntry, node,
											 dlist_pop_head_node(&peaks->by_connect));

		if (pg_atomic_read_u32(&oldest->current) == 0)
		{
			pgps_forget_peak(number_of(oldest));
			pgps_table_give_up(&table, hash_peak(oldest->data.scope, oldest->data.oid),
							   number_of(oldest));
			return;
		}
		dlist_push_tail(&peaks->by_connect, &oldest->node);
	}
}

/*
 * Find or make an entry; it becomes the one that connected last.  "rejected" is
 * the hash of its name, which may have changed since.
 */
static PeakEntry *
need_entry(PgpsScope scope, Oid oid, uint64 rejected)
{
	int32		i = *pgps_table_chain(&table, hash_peak(scope, oid)) - 1;
	PeakEntry  *entry;
	bool		fresh;

	while (i != PGPS_NONE &&
		   (entry_of(i)->data.scope != scope || entry_of(i)->data.oid != oid))
		i = entry_of(i)->next - 1;
	if (i != PGPS_NONE)
	{
		entry = entry_of(i);
		dlist_delete(&entry->node);
		dlist_push_tail(&peaks->by_connect, &entry->node);
		entry->data.rejected = rejected;
		pgps_know_peak(i, rejected);
		return entry;
	}

	if (peaks->space.used == peaks->space.capacity)
		make_room();
	entry = entry_of(pgps_table_take(&table, hash_peak(scope, oid), &fresh));
	if (fresh)
	{
		pg_atomic_init_u32(&entry->current, 0);
		SpinLockInit(&entry->mutex);
	}
	dlist_push_tail(&peaks->by_connect, &entry->node);
	SpinLockAcquire(&entry->mutex);
	entry->data = (PgpsPeak)
	{
		.scope = scope,.oid = oid,.rejected = rejected
	};
	SpinLockRelease(&entry->mutex);
	pgps_know_peak(number_of(entry), rejected);
	return entry;
}

/* It looks under the spinlock: somebody may reset it just now. */
static void
raise_peak(PgpsPeak *peak, slock_t *mutex, int current, TimestampTz now)
{
	SpinLockAcquire(mutex);
	if (current > peak->peak)
	{
		peak->peak = current;
		peak->peak_at = now;
	}
	SpinLockRelease(mutex);
}

static PeakEntry *
count_connect(PgpsScope scope, Oid oid, uint64 rejected, TimestampTz now)
{
	PeakEntry  *entry = need_entry(scope, oid, rejected);

	raise_peak(&entry->data, &entry->mutex,
			   pg_atomic_add_fetch_u32(&entry->current, 1), now);
	return entry;
}

/* This session's connection begins; the server has so many processes. */
void
pgps_peaks_connect(Oid roleid, Oid dbid, int processes, TimestampTz now)
{
	my_role = count_connect(PGPS_SCOPE_ROLE, roleid,
							pgps_role_hash(MyProcPort->user_name), now);
	my_database = count_connect(PGPS_SCOPE_DATABASE, dbid,
								pgps_database_hash(MyProcPort->database_name),
								now);
	raise_peak(&peaks->server, &peaks->mutex, processes, now);
}

void
pgps_peaks_disconnect(void)
{
	if (my_role)
		pg_atomic_fetch_sub_u32(&my_role->current, 1);
	if (my_database)
		pg_atomic_fetch_sub_u32(&my_database->current, 1);
	my_role = my_database = NULL;
}

static PgpsPeak
copy_peak(PgpsPeak *peak, slock_t *mutex)
{
	PgpsPeak	copy;

	SpinLockAcquire(mutex);
	copy = *peak;
	SpinLockRelease(mutex);
	return copy;
}

/* Has it been given to a role or database, and so a lock? */
static inline bool
is_known(const PeakEntry *entry)
{
	return entry->data.scope != PGPS_SCOPE_SERVER;
}

/*
 * Peaks start again at what is there now.  That is read under the spinlock, so
 * that who connects meanwhile is counted here or raises the peak afterwards.
 */
void
pgps_peaks_reset(TimestampTz now)
{
	int			processes = pgps_client_processes();
	int			i;

	SpinLockAcquire(&peaks->mutex);
	peaks->server.peak = processes;
	peaks->server.peak_at = now;
	SpinLockRelease(&peaks->mutex);
	for (i = 0; i < peaks->space.high_water; i++)
	{
		PeakEntry  *entry = entry_of(i);

		if (!is_known(entry))
			continue;
		SpinLockAcquire(&entry->mutex);
		entry->data.peak = pg_atomic_read_u32(&entry->current);
		entry->data.peak_at = now;
		SpinLockRelease(&entry->mutex);
	}
}

/* Returns the number copied; there is room for so many. */
int
pgps_peaks_copy(PgpsPeak *to, int room)
{
	int			n = 0;
	int			i;

	to[n++] = copy_peak(&peaks->server, &peaks->mutex);
	for (i = 0; i < peaks->space.high_water && n < room; i++)
	{
		PeakEntry  *entry = entry_of(i);

		if (is_known(entry))
			to[n++] = copy_peak(&entry->data, &entry->mutex);
	}
	return n;
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = ((const PgpsPeak *) a)->peak_at;
	TimestampTz y = ((const PgpsPeak *) b)->peak_at;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * Go on from what was saved.  Nobody else is there yet.  Who had his peak
 * longest ago makes room first.
 */
void
pgps_peaks_restore(const PgpsPeak *saved, int n)
{
	PgpsPeak   *sorted = palloc(Max(n, 1) * sizeof(PgpsPeak));
	int			i;

	memcpy(sorted, saved, n * sizeof(PgpsPeak));
	qsort(sorted, n, sizeof(PgpsPeak), compare_times);
	for (i = 0; i < n; i++)
	{
		if (sorted[i].scope == PGPS_SCOPE_SERVER)
			peaks->server = sorted[i];
		else
			need_entry(sorted[i].scope, sorted[i].oid,
					   sorted[i].rejected)->data = sorted[i];
	}
	pfree(sorted);
}
