/*-------------------------------------------------------------------------
 *
 * peaks.c
 *	  The most connections at once of the server, each role and database.
 *
 * Exact, because they are raised while a backend joins: under the registry's
 * exclusive lock, which also guards the table.  The counts below a peak are
 * atomic, because an exiting backend takes no lock.  When the table is full,
 * the role or database that has had no connection for longest makes room.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "base/settings.h"
#include "registry/backends.h"
#include "registry/known.h"
#include "registry/peaks.h"

typedef struct PeakEntry
{
	bool		used;
	PgpsPeak	data;
	TimestampTz last_connect;
	pg_atomic_uint32 current;
} PeakEntry;

static PeakEntry *entries = NULL;

/* where this session counts */
static PeakEntry *my_role = NULL;
static PeakEntry *my_database = NULL;

/*
 * Of roles and databases with a connection there are at most two for each
 * connection; the first entry is the server's.
 */
int
pgps_peaks_max(void)
{
	return 1 + 2 * MaxConnections + pgps_max_instances;
}

Size
pgps_peaks_size(void)
{
	return mul_size(pgps_peaks_max(), sizeof(PeakEntry));
}

void
pgps_peaks_init(void *area, bool found)
{
	int			i;

	entries = area;
	if (found)
		return;
	for (i = 0; i < pgps_peaks_max(); i++)
		pg_atomic_init_u32(&entries[i].current, 0);
	entries[0].used = true;
	entries[0].data.scope = PGPS_SCOPE_SERVER;
}

/* "rejected" is the hash of its name, which may have changed since. */
static PeakEntry *
need_entry(PgpsScope scope, Oid oid, uint64 rejected)
{
	PeakEntry  *oldest = &entries[1];
	int			i;

	for (i = 1; i < pgps_peaks_max(); i++)
	{
		PeakEntry  *entry = &entries[i];

		if (entry->used && entry->data.scope == scope && entry->data.oid == oid)
		{
			entry->data.rejected = rejected;
			pgps_know_peak(i, rejected);
			return entry;
		}
		if (!entry->used)
		{
			/* entries are used from the front */
			oldest = entry;
			break;
		}
		if (pg_atomic_read_u32(&entry->current) == 0 &&
			(pg_atomic_read_u32(&oldest->current) > 0 ||
			 entry->last_connect < oldest->last_connect))
			oldest = entry;
	}

	pgps_forget_peak(oldest - entries);
	pgps_know_peak(oldest - entries, rejected);
	memset(&oldest->data, 0, sizeof(oldest->data));
	oldest->used = true;
	oldest->data.scope = scope;
	oldest->data.oid = oid;
	oldest->data.rejected = rejected;
	pg_atomic_write_u32(&oldest->current, 0);
	return oldest;
}

static void
raise_peak(PeakEntry *entry, int current, TimestampTz now)
{
	entry->last_connect = now;
	if (current > entry->data.peak)
	{
		entry->data.peak = current;
		entry->data.peak_at = now;
	}
}

/* This session's connection begins. */
void
pgps_peaks_connect(Oid roleid, Oid dbid, TimestampTz now)
{
	my_role = need_entry(PGPS_SCOPE_ROLE, roleid,
						 pgps_role_hash(MyProcPort->user_name));
	raise_peak(my_role, pg_atomic_add_fetch_u32(&my_role->current, 1), now);
	my_database = need_entry(PGPS_SCOPE_DATABASE, dbid,
							 pgps_database_hash(MyProcPort->database_name));
	raise_peak(my_database, pg_atomic_add_fetch_u32(&my_database->current, 1),
			   now);
	raise_peak(&entries[0], pgps_client_processes(), now);
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

/* Peaks start again at what is there now. */
void
pgps_peaks_reset(TimestampTz now)
{
	int			i;

	for (i = 0; i < pgps_peaks_max(); i++)
	{
		if (!entries[i].used)
			continue;
		entries[i].data.peak = i == 0 ? pgps_client_processes() :
			pg_atomic_read_u32(&entries[i].current);
		entries[i].data.peak_at = now;
	}
}

/* Returns the number copied; there is room for pgps_peaks_max(). */
int
pgps_peaks_copy(PgpsPeak *peaks)
{
	int			i,
				n = 0;

	for (i = 0; i < pgps_peaks_max(); i++)
	{
		if (entries[i].used)
			peaks[n++] = entries[i].data;
	}
	return n;
}

/* Go on from what was saved.  Nobody else is there yet. */
void
pgps_peaks_restore(const PgpsPeak *peak)
{
	PeakEntry  *entry = peak->scope == PGPS_SCOPE_SERVER ? &entries[0] :
		need_entry(peak->scope, peak->oid, peak->rejected);

	entry->data = *peak;
	entry->last_connect = peak->peak_at;
}
