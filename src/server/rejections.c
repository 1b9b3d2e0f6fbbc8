/*-------------------------------------------------------------------------
 *
 * rejections.c
 *	  Connections that were rejected, seen where their FATAL is logged.
 *
 * That is any FATAL of a client's process before its start-up transaction has
 * committed.  When a limit rejects, the process has no PGPROC and can wait for nothing: no
 * lock, no allocation, no catalog.  Each rejection is counted by its reason, by
 * the role, database or server that rejects, and by the pool and instance that it claims to be
 * (registry/rejected.c), and in a row of its origin and minute
 * (rejection_rows.c).  Rows are given up for newer ones; counters stay.
 *
 * Nobody has been authenticated: role, database and label are claims.  So a
 * rejection makes no pool and no instance.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/timestamp.h"

#include "base/shmem.h"
#include "base/text.h"
#include "registry/identity.h"
#include "registry/known.h"
#include "registry/registry.h"
#include "server/events.h"
#include "server/rejections.h"

/* those of registry/rejected.c are first */
#define FIRST_TOTAL 2

StaticAssertDecl(FIRST_TOTAL + 3 + PGPS_REASONS <= PGPS_REJECTED_TOTALS,
				 "there is a counter for each reason");

static emit_log_hook_type prev_emit_log_hook = NULL;

Size
pgps_rejections_size(void)
{
	return pgps_rejection_rows_size();
}

void
pgps_rejections_init(void *area, bool found)
{
	int			reason;

	pgps_rejection_rows_init(area, found);
	if (found)
		return;
	pgps_know_total(FIRST_TOTAL, pgps_total_hash(PGPS_OTHER));
	pgps_know_total(FIRST_TOTAL + 1, pgps_other_limits_hash());
	pgps_know_total(FIRST_TOTAL + 2, pgps_total_hash("(pools)"));
	for (reason = 0; reason < PGPS_REASONS; reason++)
		pgps_know_total(FIRST_TOTAL + 3 + reason, pgps_reason_hash(reason));
}

uint64
pgps_reason_hash(PgpsReason reason)
{
	return pgps_total_hash(pgps_reason_name(reason));
}

/* Limits that are neither a role's nor a database's, nor the server's slots */
uint64
pgps_other_limits_hash(void)
{
	return pgps_total_hash("(extensions)");
}

/*
 * The role or the database that is at its limit, or the server.  The limit of
 * a pool is counted for anyway.  That of an extension is the server's, too, but
 * says nothing of its slots.
 */
static uint64
hash_of_rejecter(const PgpsOrigin *origin)
{
	switch (origin->reason)
	{
		case PGPS_REASON_ROLE:
			return pgps_role_hash(origin->usename);
		case PGPS_REASON_DATABASE:
			return pgps_database_hash(origin->datname);
		case PGPS_REASON_POOL:
			return pgps_total_hash("(pools)");
		case PGPS_REASON_OTHER_LIMIT:
			return pgps_other_limits_hash();
		default:
			return pgps_server_hash();
	}
}

/*
 * Does this client do nothing but report for a pool?  A rejected login of it is
 * that pool's: its own will be rejected as well.
 */
static void
find_reporter(PgpsOrigin *origin, PgpsRejecter by)
{
	const char *watched = origin->labelled ?
		pgps_watched_pool(origin->pool, origin->application_name) : NULL;

	if (watched == NULL)
		return;
	origin->reporter = true;
	if (by == PGPS_AT_LOGIN)
		pgps_clean_pool(origin->pool, watched);
}

/* Count a connection that is being rejected. */
static void
count(const ErrorData *edata, TimestampTz now)
{
	PgpsOrigin	origin;
	PgpsRejecter by;
	uint64		pool;
	uint64		unlabelled;

	memset(&origin, 0, sizeof(origin));
	pgps_find_reason(edata, &origin);
	pgps_describe_origin(&origin);
	by = pgps_rejecter(origin.reason);
	find_reporter(&origin, by);
	pool = pgps_pool_hash(origin.usename, origin.datname, origin.pool);
	unlabelled = pgps_unlabelled_hash(origin.usename, origin.datname);
	origin.claimed = by == PGPS_AT_LOGIN &&
		!pgps_was_seen(pool, origin.client_addr, now) &&
		(origin.labelled ||
		 !pgps_was_seen(unlabelled, origin.client_addr, now));

	pgps_count_rejected(pgps_reason_hash(origin.reason), by, now);
	/* a limit may be meant for the pool alone */
	if (!(origin.reporter && by == PGPS_BY_LIMIT))
		pgps_count_rejected(hash_of_rejecter(&origin), by, now);
	if (!origin.claimed)
	{
		pgps_count_rejected(pool, by, now);
		pgps_count_rejected(pgps_instance_hash(origin.usename, origin.datname,
											   origin.pool, origin.instance),
							by, now);
		if (!origin.labelled)
			pgps_count_rejected(unlabelled, by, now);
	}
	if (!pgps_note_rejection(&origin, now))
		pgps_count_rejected(pgps_total_hash(PGPS_OTHER), PGPS_BY_LIMIT, now);
}

static void
note_log(ErrorData *edata)
{
	if (edata->elevel == FATAL && pgps_locks != NULL && MyProcPort != NULL &&
		!pgps_session_has_started())
		count(edata, GetCurrentTimestamp());

	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
}

/* Called while the server loads its libraries */
void
pgps_rejections_install(void)
{
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = note_log;
}

/* Start again.  A rejection that comes at the same time may stay. */
void
pgps_rejections_reset(void)
{
	pgps_rejected_reset();
	pgps_rejection_rows_reset();
}

/*-------------------------------------------------------------------------
 * Readers
 *-------------------------------------------------------------------------
 */

/* Copy rows and counters into the current memory context. */
PgpsRejections *
pgps_rejections_copy(void)
{
	PgpsRejections *copy = palloc(sizeof(PgpsRejections));

	copy->nrejections = pgps_rejection_rows_copy(&copy->rejections);
	copy->ncounters = pgps_rejected_copy(&copy->counters);
	return copy;
}

/* Make counters those that exporters get. */
void
pgps_rejections_leave_out_base(PgpsRejections *copy)
{
	int			i;

	for (i = 0; i < copy->ncounters; i++)
		copy->counters[i].count -= copy->counters[i].base;
}

/* Go on from what was saved.  Nobody else is there yet. */
void
pgps_rejections_restore(const PgpsRejections *saved, bool crashed)
{
	int			i;

	for (i = 0; i < saved->nrejections; i++)
		pgps_rejection_row_restore(&saved->rejections[i]);
	for (i = 0; i < saved->ncounters; i++)
		pgps_rejected_restore(&saved->counters[i], crashed);
}

/* What is counted under a hash; zeros if nothing is */
PgpsRejected
pgps_rejected_by(const PgpsRejections *rejections, uint64 hash, PgpsRejecter by)
{
	PgpsRejected key = {.hash = hash,.by = by};
	const PgpsRejected *found;

	found = bsearch(&key, rejections->counters, rejections->ncounters,
					sizeof(PgpsRejected), pgps_compare_rejected);
	return found ? *found : key;
}

/* The same, by a limit */
PgpsRejected
pgps_rejected(const PgpsRejections *rejections, uint64 hash)
{
	return pgps_rejected_by(rejections, hash, PGPS_BY_LIMIT);
}

/* Were there too many origins for rows, or names for counters, of their own? */
bool
pgps_rejections_left_out(const PgpsRejections *rejections)
{
	int			by;

	for (by = 0; by < PGPS_REJECTERS; by++)
	{
		if (pgps_rejected_by(rejections, pgps_strangers_hash(), by).count > 0)
			return true;
	}
	return pgps_rejected(rejections, pgps_total_hash(PGPS_OTHER)).count > 0;
}
