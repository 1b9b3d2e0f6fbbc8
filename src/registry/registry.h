/*-------------------------------------------------------------------------
 *
 * registry.h
 *	  Pools and their instances.
 *
 * What other folders see of the registry are copies; the shared entries are
 * known to entries.h alone.  The registry's LWLock guards which entries there
 * are and where sessions are attached, an entry's spinlock what its instance
 * reported; see registry.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_REGISTRY_H
#define PGPS_REGISTRY_H

#include "datatype/timestamp.h"

#include "base/text.h"
#include "dialects/fields.h"
#include "dialects/stats.h"
#include "registry/activity.h"
#include "registry/backends.h"
#include "registry/carry.h"
#include "registry/counters.h"
#include "registry/histogram.h"
#include "registry/identity.h"
#include "registry/peaks.h"
#include "registry/status.h"
#include "registry/told.h"

#define PGPS_OTHER "(other)"
#define PGPS_POOL_MODE_LEN 12
#define PGPS_ALL_POOLS (-1)		/* instead of the number of one */
#define PGPS_NO_POOL (-1)
#define PGPS_ANY_NUMBER (-1)	/* instead of a limit */

/* how many of the last report intervals we look at */
#define PGPS_INTERVALS 5

/* parts of leak_after for which the most idle connections are kept */
#define PGPS_IDLE_PARTS 8

typedef enum PgpsSource
{
	PGPS_SOURCE_DISCOVERY,
	PGPS_SOURCE_LABEL,
	PGPS_SOURCE_POOLER,
	PGPS_SOURCE_REPORT
} PgpsSource;

typedef struct PgpsPoolKey
{
	Oid			roleid;			/* role that logged in */
	Oid			dbid;
	char		name[PGPS_POOL_LEN];	/* padded with zeros */
} PgpsPoolKey;

/* the most of one day */
typedef struct PgpsDay
{
	int32		day;			/* since 2000-01-01 */
	int32		lent;			/* connections one instance had lent out */
	int64		committed;		/* what all instances might ask for at once */
} PgpsDay;

#define PGPS_DAYS 7

/* a network that connections came from, see seen.c */
typedef struct PgpsSeen
{
	uint64		network;		/* a hash; 0 = none */
	TimestampTz last;
} PgpsSeen;

#define PGPS_SEEN 8

/*
 * A pool: outlives its instances.  Changed under the exclusive lock only.
 */
typedef struct PgpsPool
{
	PgpsPoolKey key;
	NameData	usename;		/* names as they were when last seen, for when */
	NameData	datname;		/* role or database is dropped */
	bool		discovered;		/* made by discovery, not by report or label */
	int32		instances;		/* entries that point here */
	TimestampTz first_seen;
	TimestampTz last_seen;		/* when its last instance went ... */
	bool		left_in_order;	/* ... and whether that said so, or closed its
								 * connections */
	PgpsCounters retired;		/* of instances that are not kept any more */
	PgpsCounters base;			/* the part of retired that exporters leave
								 * out, see restore.c */
	PgpsXactRanges retired_xacts;	/* how long those of retired took */
	PgpsXactRanges base_xacts;	/* the part of all that exporters leave out */
	int32		peak_connections;
	TimestampTz peak_connections_at;
	int32		peak_instances; /* live ones, seen at a pass */
	TimestampTz reset_at;		/* 0 = never */
	PgpsDay		week[PGPS_DAYS];	/* a ring of days */
	PgpsSeen	seen[PGPS_SEEN];
} PgpsPool;

/*
 * An instance: what it reported and what we made of it.  Guarded by the entry's
 * spinlock, except for the fields that are fixed from creation on.
 */
typedef struct PgpsInstance
{
	int32		pool;			/* fixed */
	char		name[PGPS_INSTANCE_LEN];	/* fixed */
	bool		other;			/* fixed: stands for those without room */
	TimestampTz first_seen;		/* fixed */

	uint8		source;			/* PgpsSource, the best so far */
	uint8		status;			/* PgpsStatus at the last evaluation */
	TimestampTz status_since;
	char		dialect[PGPS_DIALECT_LEN];	/* of the last report */
	char		app_version[PGPS_POOL_LEN];
	char		client_addr[PGPS_ADDR_LEN];
	char		via[PGPS_POOL_LEN]; /* pooler that it last came through */
	char		pool_mode[PGPS_POOL_MODE_LEN];	/* of a pooler ... */
	PgpsTold	told;			/* ... and what else it tells */
	TimestampTz had_some_at;	/* the last report with a connection that is
								 * logged in */

	PgpsValues	label;			/* configuration by the label */
	PgpsValues	reported;		/* by the last report, without its counters */
	PgpsCarry	carry;
	TimestampTz last_report;	/* 0 = never */
	TimestampTz books_at;		/* last report of both checked_out and
								 * checked_in */
	TimestampTz pids_at;		/* last report that named connections by pid */
	bool		pids_lent;		/* it named those lent out; else the idle ones */
	int32		attached;		/* connections here at the newer of the two,
								 * without the one that it came on if that
								 * only reports */
	int32		reported_by;	/* pid of the backend that it came on */
	int64		idle_part;		/* number of the newest part in most_idle ... */
	int64		idle_part_length;	/* ... which follows from leak_after then */
	int32		most_idle[PGPS_IDLE_PARTS]; /* most idle connections reported
											 * in each part, newest first */
	TimestampTz last_seen;		/* last report, connect or disconnect */
	bool		said_goodbye;	/* it goes with its last connection */
	bool		seen_here;		/* of a pooler: connects to this server */
	uint8		polls_unseen;	/* running, in which it had connections and
								 * none of them was found here */
	uint32		shared_by;		/* of a pooler: pools with the same number
								 * share one maximum; 0 = none */
	int32		shared_cap;		/* that maximum */
	bool		fork_shared;	/* reported on another process's connection */
	int64		intervals[PGPS_INTERVALS];	/* between reports, microseconds */
	int32		nintervals;
	char		unmapped[PGPS_UNMAPPED_LEN];	/* keys not understood, each
												 * ended by NUL */
	bool		labelled;		/* a connection here has or had its label */
	bool		elsewhere;		/* what it reports is not, or not only, about
								 * connections to this server */
	int32		hosts;			/* servers that they are on; 0 = not told */
	TimestampTz last_xact;		/* newest transaction of the connections that
								 * ended ... */
	TimestampTz last_end;		/* ... and its end, if that was the last */
	int32		here;			/* connections, as "counters" has those that
								 * came and went */
	int32		made;			/* connections that ever came here ... */
	int32		ended;			/* ... and that went, without those that only
								 * reported */
	TimestampTz ended_at;		/* when the last of them went ... */
	bool		ended_in_order; /* ... and whether its client closed it */
	bool		multiplexed;	/* one of them has had another label, too */
	bool		agreed;			/* it has had open what was here */
	int32		missing;		/* lent out by its last report and not here
								 * when that came ... */
	int32		ghosts;			/* ... nor when the one before came */
	int64		every;			/* its reports are sent by a timer of so many
								 * microseconds; 0 = it does not say */
	uint8		quiet_reports;	/* a bit for each of the last ones: there was
								 * no statement since the one before */
	TimestampTz stalled_since;	/* the first of the reports that say that
								 * callers wait, nothing is lent out and
								 * nothing moved; 0 = the last one did not */
	int64		stalled_lent;	/* counters of these */
	int64		stalled_xacts;
	int32		held;			/* idle connections that the server ended, and
								 * that are lost if the instance lives on, ... */
	uint8		held_for;		/* ... why (PgpsEndReason), ... */
	TimestampTz held_since;		/* ... and since when there are any */
	PgpsCounters counters;		/* since it was first seen; those that
								 * backends count are in its activity */
	PgpsCounters base;			/* the part of them that exporters leave out,
								 * see restore.c */
} PgpsInstance;

/* a report, parsed and with its identity */
typedef struct PgpsReport
{
	PgpsPoolKey key;
	NameData	usename;
	NameData	datname;
	char		instance[PGPS_INSTANCE_LEN];
	char		client_addr[PGPS_ADDR_LEN];
	PgpsReporter reporter;
	PgpsSource	source;			/* report or pooler */
	bool		fork_shared;
	char		via[PGPS_POOL_LEN]; /* pooler that it came through */
	const char *pool_mode;		/* of a pooler; or NULL */
	PgpsTold	told;			/* of a pooler */
	const PgpsValues *counted;	/* of its counters, what another row has
								 * counted before; or NULL */
	int32		shared_cap;
	uint32		shared_by;
	int			seen_here;		/* of a pooler: does it connect to this
								 * server? -1 = unknown */
	PgpsStats  *stats;
} PgpsReport;

/* entries as copied; "index" is what backends and instances refer to */
typedef struct PgpsPoolCopy
{
	int32		index;
	PgpsPool	data;
} PgpsPoolCopy;

typedef struct PgpsInstanceCopy
{
	int32		index;
	uint32		generation;		/* of its counters, see activity.h */
	PgpsInstance data;
	PgpsActivityCopy activity;
	PgpsHistogram *histogram;	/* beside it; NULL unless asked for */
} PgpsInstanceCopy;

/* registry-level facts */
typedef struct PgpsRegistryInfo
{
	TimestampTz started_at;
	TimestampTz stats_reset;
	TimestampTz last_pass;
	int			collector_pid;
	TimestampTz stopped_from;	/* the last pass found that most reports
								 * became late at once: from then ... */
	TimestampTz stopped_until;	/* ... to then; 0 = it did not */
	PgpsLimitStatus server_status;	/* at the last pass */
	TimestampTz server_status_since;
	int			instances_max;
	int			instances_used; /* rows (other) left out */
	uint64		overflowed;		/* reports and connections put into (other) */
	uint64		unmapped_keys;
	uint64		dropped;		/* entries given up early to make room */
	bool		crashed;		/* what is after the last save is lost */
} PgpsRegistryInfo;

/* for "only_pool" */
#define PGPS_ALL_POOLS (-1)

/*
 * The pool of each instance is there, and the instance of each backend that has
 * one.
 */
typedef struct PgpsCopy
{
	PgpsRegistryInfo info;
	int			npools;
	PgpsPoolCopy *pools;
	int			max_pool;		/* all "index" are below this */
	int			ninstances;
	PgpsInstanceCopy *instances;
	int			max_instance;
	TimestampTz backends_at;	/* when they were looked at */
	int			nbackends;
	PgpsBackend *backends;
	int			npeaks;
	PgpsPeak   *peaks;
} PgpsCopy;

/* instance.c: on the data of one instance */
extern void pgps_instance_reported(PgpsReported *reported,
								   const PgpsInstance *data);
extern void pgps_instance_take_report(PgpsInstance *data,
									  const PgpsReport *report, int32 attached,
									  TimestampTz last_statement,
									  TimestampTz now, TimestampTz started_at);
extern void pgps_instance_forget(PgpsInstance *data);
extern void pgps_instance_unlisted(PgpsInstance *data);
extern bool pgps_instance_reports_by_timer(const PgpsInstance *data);
extern bool pgps_instance_left_in_order(const PgpsInstance *data);
extern int32 pgps_instance_cap(const PgpsInstance *data);
extern int32 pgps_instance_most_idle(const PgpsInstance *data,
									 TimestampTz now);

extern int32 pgps_pool_capacity(void);
extern int32 pgps_instance_capacity(void);
extern int32 pgps_pool_at(int procno);
extern Size pgps_registry_size(void);
extern void pgps_registry_init(void *area, bool found);

/* what happens to pools and instances */
extern int32 pgps_registry_report(const PgpsReport *report, TimestampTz now,
								  bool *own);
extern bool pgps_registry_forget(const PgpsPoolKey *key, const char *instance);
extern void pgps_registry_unlisted(const char *pooler, TimestampTz answered_at);
extern int	pgps_registry_reset(const char *pool, const char *usename,
								Oid roleid);
extern void pgps_registry_connect(Oid roleid, Oid dbid);
extern PgpsActivity *pgps_registry_join(const PgpsIdentity *identity,
										bool connect, bool in_xact,
										int at_most);
extern void pgps_registry_unplace(bool in_xact);

/* seen.c */
extern uint64 pgps_network_of(const char *addr);
extern void pgps_note_seen(int32 pool, uint64 network, TimestampTz now);
extern bool pgps_was_seen(uint64 pool, const char *addr, TimestampTz now);

/* what readers get: one consistent copy in the current memory context */
extern PgpsCopy *pgps_registry_copy(PgpsHistograms histograms, int32 only_pool);
extern PgpsPoolCopy *pgps_registry_pools(int *npools);
extern bool pgps_registry_counted(const PgpsPoolKey *key, const char *instance,
								  PgpsValues *counted);
extern PgpsBackend *pgps_registry_backends(int *nbackends);
extern void pgps_registry_info(PgpsRegistryInfo *info);

/* for the collector */
extern bool pgps_instance_expires(const PgpsInstance *data, TimestampTz now);
extern void pgps_registry_expire(const int32 *instances, int n, TimestampTz now);
extern void pgps_registry_trim(TimestampTz now);
extern void pgps_registry_expire_pools(TimestampTz now);
extern void pgps_registry_note_status(const PgpsInstanceCopy *judged,
									  PgpsStatus status, TimestampTz since);
extern void pgps_registry_note_fork(const PgpsInstanceCopy *seen);
extern void pgps_registry_note_via(const PgpsInstanceCopy *seen,
								   const char *via);
extern void pgps_registry_note_in_xact(const PgpsInstanceCopy *seen,
									   int in_xact, TimestampTz newest,
									   TimestampTz now);
extern bool pgps_registry_turn_is_due(TimestampTz now);
extern void pgps_registry_turn(const PgpsInstanceCopy *seen);
extern void pgps_registry_turned(TimestampTz now);
extern void pgps_registry_note_peaks(const PgpsPoolCopy *seen, int live,
									 int lent, int64 committed,
									 TimestampTz now);
extern PgpsDay pgps_today(const PgpsPool *pool, TimestampTz now);
extern PgpsDay pgps_week(const PgpsPool *pool, TimestampTz now);
extern void pgps_registry_note_pass(TimestampTz now, PgpsLimitStatus server,
									TimestampTz stopped_from,
									TimestampTz stopped_until);
extern void pgps_registry_note_collector(int pid);

/* for loading the save file, before there are other processes */
extern int32 pgps_registry_restore_pool(const PgpsPool *pool, bool crashed,
										bool *own);
extern void pgps_registry_restore_instance(const PgpsInstanceCopy *instance,
										   const PgpsHistogram *histogram,
										   int32 pool, bool crashed);
extern void pgps_registry_restore_done(TimestampTz stats_reset, bool crashed);

#endif							/* PGPS_REGISTRY_H */
