/*-------------------------------------------------------------------------
 *
 * views_advice.c
 *	  The function behind the view leaks.
 *
 * Privileges and Datums only, as in views.c.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "leaks.h"
#include "row.h"
#include "shmem.h"
#include "views.h"

PG_FUNCTION_INFO_V1(pgps_get_leaks);

static void
put_leak(PgpsRow *row, const PgpsLeak *leak, TimestampTz now)
{
	const PgpsPool *pool = leak->view->pool->data;
	int		   *pids = palloc(leak->candidates * sizeof(int));
	int			i;

	for (i = 0; i < leak->candidates; i++)
		pids[i] = leak->suspects[i].backend->pid;
	pgps_put_text(row, pool->key.name);
	pgps_put_text(row, leak->view->data->name);
	pgps_put_name(row, pgps_database_name(pool));
	pgps_put_name(row, pgps_role_name(pool));
	pgps_put_int4(row, leak->at_least);
	pgps_put_int4(row, leak->candidates);
	pgps_put_int4s(row, pids, leak->candidates);
	pgps_put_time(row, leak->since);
	pgps_put_text(row, pgps_leak_evidence(leak, now));
	pgps_put_text(row, pgps_leak_exempt(leak));
	pgps_put_null(row);			/* exhausts_at */
	pgps_put_text(row, pgps_leak_advice(leak));
	pgps_row_end(row);
}

static int
compare_leaks(const void *a, const void *b)
{
	const PgpsLeak *x = a;
	const PgpsLeak *y = b;

	if (x->at_least != y->at_least)
		return x->at_least > y->at_least ? -1 : 1;
	return (x->since > y->since) - (x->since < y->since);
}

/* Most leaked connections first */
Datum
pgps_get_leaks(PG_FUNCTION_ARGS)
{
	PgpsRow		row;
	PgpsSnapshot *snapshot;
	PgpsLeak   *leaks;
	int			nleaks;
	bool		sees_all;
	int			i;

	pgps_ensure_loaded();
	pgps_rows_begin(&row, fcinfo);
	snapshot = pgps_take_snapshot(PGPS_NO_HISTOGRAMS);
	leaks = pgps_find_leaks(snapshot, &nleaks);
	qsort(leaks, nleaks, sizeof(PgpsLeak), compare_leaks);
	sees_all = pgps_sees_all();
	for (i = 0; i < nleaks; i++)
	{
		if (pgps_may_see(leaks[i].view->pool->data->key.roleid, sees_all))
			put_leak(&row, &leaks[i], snapshot->taken_at);
	}
	return (Datum) 0;
}
