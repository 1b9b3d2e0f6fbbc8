/*-------------------------------------------------------------------------
 *
 * pgpool2.c
 *	  The rows of Pgpool-II's SHOW POOL_POOLS as one pool.
 *
 * There is a row for each process, slot of its cache, and backend node.
 * Clients wait for a process, so the processes are the size of the pool, and
 * those with a client are lent out.  The open connections are in the slots.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/dialect.h"
#include "dialects/fields.h"
#include "dialects/figures.h"
#include "dialects/list.h"

static int
row_order(const void *a, const void *b)
{
	const PgpsFigures *x = a;
	const PgpsFigures *y = b;

	if (x->value[PGPS_CHILD] != y->value[PGPS_CHILD])
		return x->value[PGPS_CHILD] < y->value[PGPS_CHILD] ? -1 : 1;
	if (x->value[PGPS_SLOT] != y->value[PGPS_SLOT])
		return x->value[PGPS_SLOT] < y->value[PGPS_SLOT] ? -1 : 1;
	return 0;
}

void
pgps_combine_pgpool2(PgpsValues *values, PgpsFigures *rows, int nrows)
{
	int			children = 0,
				busy = 0,
				open = 0;
	int			i;

	qsort(rows, nrows, sizeof(PgpsFigures), row_order);
	for (i = 0; i < nrows;)
	{
		int64		child = rows[i].value[PGPS_CHILD];
		bool		connected = false;

		while (i < nrows && rows[i].value[PGPS_CHILD] == child)
		{
			int64		slot = rows[i].value[PGPS_SLOT];
			bool		used = false;

			for (; i < nrows && rows[i].value[PGPS_CHILD] == child &&
				 rows[i].value[PGPS_SLOT] == slot; i++)
			{
				used |= rows[i].value[PGPS_BACKEND] > 0;
				connected |= rows[i].value[PGPS_CONNECTED] > 0;
			}
			open += used ? 1 : 0;
		}
		children++;
		busy += connected ? 1 : 0;
	}
	pgps_set(values, PGPS_POOL_SIZE, children);
	pgps_set(values, PGPS_MAX_SIZE, children);
	pgps_set(values, PGPS_UNLIMITED, 0);
	pgps_set(values, PGPS_CHECKED_OUT, busy);
	pgps_set(values, PGPS_OPEN, open);
	pgps_set(values, PGPS_CHECKED_IN, Max(open - busy, 0));
}
