/*-------------------------------------------------------------------------
 *
 * rejections.c
 *	  Connections that a limit rejected, seen where their FATAL is logged.
 *
 * In the main case the process has no PGPROC and can wait for nothing: no
 * lock, no allocation, no catalog.  Each rejection is counted by its reason, by
 * the limit that it met, and by the pool and instance that it claims to be
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
#include "server/rejections.h"

/* those of registry/rejected.c are first */
#define FIRST_TOTAL 2

StaticAssertDecl(FIRST_TOTAL + 1 + PGPS_REASONS <= PGPS_REJECTED_TOTALS,
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
	for (reason = 0; reason < PGPS_REASONS; reason++)
		pgps_know_total(FIRST_TOTAL + 1 + reason, pgps_reason_hash(reason));
}

uint64
pgps_reason_hash(PgpsReason reason)
{
	return pgps_total_hash(pgps_reason_name(reason));
}

static void
note_log(ErrorData *edata)
{
	PgpsOrigin	origin;
	PgpsReason	reason;
	TimestampTz now;

	if (edata->elevel == FATAL && pgps_locks != NULL && MyProcPort != NULL &&
		pgps_find_reason(edata, &reason))
	{
		now = GetCurrentTimestamp();
		memset(&origin, 0, sizeof(origin));
		origin.reason = reason;
		pgps_describe_origin(&origin);

		pgps_count_rejected(pgps_reason_hash(reason), now);
		pgps_count_rejected(reason == PGPS_REASON_ROLE ?
							pgps_role_hash(origin.usename) :
							reason == PGPS_REASON_DATABASE ?
							pgps_database_hash(origin.datname) :
							pgps_server_hash(), now);
		pgps_count_rejected(pgps_pool_hash(origin.usename, origin.datname,
										   origin.pool), now);
		pgps_count_rejected(pgps_instance_hash(origin.usename, origin.datname,
											   origin.pool, origin.instance), now);
		if (!origin.labelled)
			pgps_count_rejected(pgps_unlabelled_hash(origin.usename,
													 origin.datname), now);
		if (!pgps_note_rejection(&origin, now))
			pgps_count_rejected(pgps_total_hash(PGPS_OTHER), now);
	}

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

static int
compare_counters(const void *a, const void *b)
{
	uint64		x = ((const PgpsRejected *) a)->hash;
	uint64		y = ((const PgpsRejected *) b)->hash;

	return x < y ? -1 : x > y;
}

/* What is counted under a hash; zeros if nothing is */
PgpsRejected
pgps_rejected(const PgpsRejections *rejections, uint64 hash)
{
	PgpsRejected key = {.hash = hash};
	const PgpsRejected *found;

	found = bsearch(&key, rejections->counters, rejections->ncounters,
					sizeof(PgpsRejected), compare_counters);
	return found ? *found : key;
}

/* Were there too many origins for rows, or names for counters, of their own? */
bool
pgps_rejections_left_out(const PgpsRejections *rejections)
{
	return pgps_rejected(rejections, pgps_total_hash(PGPS_OTHER)).count > 0 ||
		pgps_rejected(rejections, pgps_strangers_hash()).count > 0;
}
