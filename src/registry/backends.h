/*-------------------------------------------------------------------------
 *
 * backends.h
 *	  A slot for each possible client backend.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_BACKENDS_H
#define PGPS_BACKENDS_H

#include "datatype/timestamp.h"
#include "executor/instrument.h"
#include "port/atomics.h"
#include "utils/backend_status.h"

#include "base/local.h"
#include "base/text.h"
#include "dialects/pids.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/identity.h"
#include "registry/xact_times.h"

#define PGPS_NO_INSTANCE (-1)

/* the counters from PGPS_CPU_TIME on */
#define PGPS_NUSED (PGPS_TEMP_BLKS_WRITTEN - PGPS_CPU_TIME + 1)

/* what the system says of a process, by whoever asks it */
typedef enum PgpsSampled
{
	PGPS_SAMPLED_CPU,			/* microseconds */
	PGPS_SAMPLED_MEMORY,		/* bytes */
	PGPS_NSAMPLED
} PgpsSampled;

/*
 * What a session's slot counts of the instance it is at.  It becomes the
 * instance's own when the session goes, and is nobody's after a reset: then the
 * entry's generation is another.
 */
typedef struct PgpsOwnCounts
{
	uint32		generation;
	int64		xacts;
	int64		xact_time;		/* microseconds */
	int64		used[PGPS_NUSED];
	PgpsTimes	counted;
	PgpsTimes	so_far;			/* never reset */
} PgpsOwnCounts;

/* one client backend as a reader sees it */
typedef struct PgpsBackend
{
	int			pid;
	Oid			roleid;			/* the role that logged in */
	Oid			dbid;
	int32		instance;		/* entry it belongs to, or PGPS_NO_INSTANCE */
	bool		labelled;
	bool		several;		/* several identities used it, one after the
								 * other: a pooler hands it on */
	bool		only_reports;	/* it does nothing else */
	bool		listens;		/* to a channel, as far as we know */
	bool		not_limited;	/* pool_limits does not count it */
	bool		came_later;		/* to its pool, by SET */
	int			procno;			/* number of its PGPROC */
	TimestampTz lent_at;		/* last report that named it as lent out ... */
	TimestampTz idle_at;		/* ... and as not; 0 = none */
	int			pooler;			/* number of the pooler that holds it, or
								 * PGPS_NO_POOLER */
	char		client_addr[PGPS_ADDR_LEN];

	/* from its PgBackendStatus */
	TimestampTz backend_start;
	BackendState state;
	TimestampTz state_change;
	TimestampTz xact_start;		/* 0 = in none */
	int			client_port;	/* -1 = local socket */
	bool		tls;
	char		application_name[NAMEDATALEN];
	bool		in_xact;
	bool		idle_in_xact;
	bool		waits_for_client;	/* amid a statement */
	bool		copies;			/* runs COPY */
	TimestampTz stuck_since;	/* the collector has seen it wait so, and do
								 * nothing else, since then; 0 = it has not */
	int64		memory;			/* -1 = not looked at as yet */
	int64		published_idle; /* in transactions, by its slot */
	int64		queryid;		/* of its current or last statement; 0 =
								 * unknown */

	/* counted by its own events, microseconds */
	TimestampTz last_xact;		/* start of its current or last transaction */
	TimestampTz last_end;		/* end of its last one; 0 = none */
	int64		xacts;
	int64		total_xact_time;
	int64		max_xact_time;

	/* of these, what its instance has by this slot alone, and since when */
	PgpsOwnCounts own;
} PgpsBackend;

/*
 * What a session had used at the end of its last transaction: copies of core's
 * own counts, in the order of counters.h and of BufferUsage.  Parallel workers'
 * are among them: core adds these to their leader.
 */
typedef struct PgpsUsed
{
	int64		wal_bytes;
	int64		shared_blks[4]; /* hit, read, dirtied, written */
	int64		temp_blks[2];	/* read, written */
} PgpsUsed;

StaticAssertDecl(PGPS_WAL_BYTES == PGPS_CPU_TIME + 1 &&
				 sizeof(PgpsUsed) == (PGPS_NUSED - 1) * sizeof(int64) &&
				 offsetof(BufferUsage, shared_blks_written) ==
				 offsetof(BufferUsage, shared_blks_hit) + 3 * sizeof(int64) &&
				 offsetof(BufferUsage, temp_blks_written) ==
				 offsetof(BufferUsage, temp_blks_read) + sizeof(int64),
				 "what is used has the order of its counters");

/*
 * Shared: a client backend's slot.  Known here only for what happens in every
 * transaction; all else is backends.c's.
 */
typedef struct PgpsSlot
{
	pg_atomic_uint32 pid;		/* 0 = free; the rest is valid otherwise */
	PgBackendStatus *status;	/* in shared memory, the same for all; never
								 * NULL again: a reader may follow it late */
	pg_atomic_uint64 sampled[PGPS_NSAMPLED];	/* see pgps_backend_sample() */
	pg_atomic_uint64 workers_cpu;	/* of its parallel workers that ended,
									 * microseconds */
	Oid			roleid;
	Oid			dbid;
	bool		labelled;
	bool		several;		/* several identities use it in turn */
	bool		listens;		/* executed LISTEN, and nothing that ends it */
	bool		not_limited;	/* pool_limits does not count it */
	bool		came_later;		/* to its pool, by SET: nobody asked whether
								 * there was room */
	char		client_addr[PGPS_ADDR_LEN];
	int64		reports;		/* transactions that reported */
	TimestampTz stuck_since;	/* written by the collector, see
								 * server/stuck.c */

	/* written by whoever reports for its instance */
	TimestampTz lent_at;		/* last report that named it as lent out ... */
	TimestampTz idle_at;		/* ... and as not */

	/*
	 * Of what follows, times in transactions belong together: see
	 * xact_times.h
	 */
	uint32		changes;
	TimestampTz last_end;		/* of the last transaction */
	int64		unseen_time;	/* in transactions that are no xacts */
	int64		idle_time;		/* of those that ended, idle */
	int64		running_idle;	/* of the one that runs, as it is known */

	/* since it connected; each read and written in one piece */
	TimestampTz xact_start;		/* of its current or last transaction */
	int64		xacts;
	int64		total_xact_time;	/* microseconds */
	int64		max_xact_time;
	PgpsUsed	used;

	/* what of this is not its instance's by this slot */
	uint32		generation;		/* of the entry, see activity.h */
	int64		base_xacts;
	int64		base_xact_time;
	int64		base_used[PGPS_NUSED];
	PgpsTimes	base_times;
	PgpsTimes	load_base;		/* the same for what no reset ends */
	PgpsHistogram histogram;	/* of the others */
} PgpsSlot;

/* this session's own; NULL in every process that is no client backend */
extern PGPS_LOCAL PgpsSlot *pgps_my_slot;

static inline bool
pgps_backend_joined(void)
{
	return pgps_my_slot != NULL;
}

static inline void
pgps_slot_begin_xact(PgpsSlot *slot, TimestampTz now)
{
	slot->xact_start = now;
	pg_write_barrier();
	slot->changes += PGPS_IN_XACT;
}

/* Was there nothing but reports, and asking first whether one can report? */
static inline bool
pgps_slot_only_reports(const PgpsSlot *slot)
{
	return slot->reports > 0 && slot->xacts <= slot->reports + 1;
}

/* Only stores: differences are taken when somebody wants them. */
static inline void
pgps_slot_copy_used(PgpsSlot *slot)
{
	PgpsUsed   *used = &slot->used;

	used->wal_bytes = pgWalUsage.wal_bytes;
	memcpy(used->shared_blks, &pgBufferUsage.shared_blks_hit,
		   sizeof(used->shared_blks));
	memcpy(used->temp_blks, &pgBufferUsage.temp_blks_read,
		   sizeof(used->temp_blks));
}

/* What the client let pass between its statements is in running_idle. */
static inline void
pgps_slot_end_xact(PgpsSlot *slot, TimestampTz now)
{
	int64		duration = Max(now - slot->xact_start, 0);	/* clocks are set back */
	uint32		changes = slot->changes;

	slot->changes = changes + 1;
	pg_write_barrier();
	slot->last_end = now;
	if (unlikely(slot->running_idle != 0))
	{
		slot->idle_time += slot->running_idle;
		slot->running_idle = 0;
	}
	slot->xacts++;
	slot->total_xact_time += duration;
	if (duration > slot->max_xact_time)
		slot->max_xact_time = duration;
	slot->histogram.count[pgps_xact_bucket(duration)]++;
	pgps_slot_copy_used(slot);
	pg_write_barrier();
	slot->changes = changes + 2;
}

extern Size pgps_backends_size(void);
extern void pgps_backends_init(void *area, bool found);
extern PgpsSlot *pgps_slot(int procno);

extern void pgps_backend_claim(void);
extern void pgps_backend_describe(const PgpsIdentity *identity);
extern int32 pgps_backend_instance(void);
extern TimestampTz pgps_backend_last_xact(void);
extern TimestampTz pgps_backend_last_end(void);
extern bool pgps_backend_is_multiplexed(void);
extern bool pgps_backend_only_reported(void);
extern bool pgps_backend_is_relabelled(void);
extern bool pgps_backend_only_reports(void);
extern void pgps_backend_note_report(void);
extern void pgps_backend_note_used(void);

/* the instance that it counts for */
extern void pgps_backend_enter(int32 instance, uint32 generation,
							   TimestampTz now);
extern void pgps_backend_begin_counts(uint32 generation);
extern void pgps_backend_hand_over(uint32 generation, TimestampTz now,
								   PgpsCounters *counters,
								   PgpsHistogram *histogram);
extern void pgps_backend_release(void);
extern bool pgps_own_add(PgpsCounters *counters, const PgpsOwnCounts *own,
						 uint32 generation);
extern void pgps_backends_sum(int32 instance, uint32 generation, TimestampTz now,
							  PgpsCounters *counters, PgpsHistogram *histogram);

extern void pgps_backends_note_pids(int32 instance, const PgpsPids *lent,
									const PgpsPids *idle, TimestampTz now);

extern int32 pgps_instance_at(int procno);
extern void pgps_slot_own(PgpsOwnCounts *own, const PgpsSlot *slot,
						  const PgpsTimes *counted, const PgpsTimes *so_far);
extern const PgpsHistogram *pgps_backend_histogram(const PgpsBackend *backend);
extern int	pgps_client_processes(void);

/* backend_copy.c */
extern bool pgps_backend_copy(PgpsBackend *backend, int procno, TimestampTz now);
extern bool pgps_backend_is_still_in_xact(const PgpsBackend *seen);
extern bool pgps_backend_state_is_as_seen(const PgpsBackend *seen);

/* statements.c */
extern TimestampTz pgps_last_statement(int32 instance, int connections);

/* used.c: what is known of it from outside */
typedef int64 (*PgpsMeasure) (int pid);

extern void pgps_backend_sample(int procno, PgpsSampled what,
								PgpsMeasure measure);
extern void pgps_backend_add_worker(int leader_procno, int leader_pid);
extern void pgps_slot_begin_used(PgpsSlot *slot);
extern void pgps_slot_used(const PgpsSlot *slot, int64 *used);
extern int64 pgps_slot_memory(const PgpsSlot *slot);

#endif							/* PGPS_BACKENDS_H */
