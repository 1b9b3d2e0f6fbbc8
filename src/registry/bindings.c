/*-------------------------------------------------------------------------
 *
 * bindings.c
 *	  Which client backends are the server connections of a pooler.
 *
 * One binding for each possible client backend, written by the poller alone
 * and read without a lock: the number of its pooler beside its pid, in one
 * atomic, so that a binding is void as soon as another process has the place.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "base/compat.h"
#include "registry/bindings.h"

static pg_atomic_uint64 *bindings = NULL;	/* MaxConnections */

Size
pgps_bindings_size(void)
{
	return mul_size(MaxConnections, sizeof(pg_atomic_uint64));
}

void
pgps_bindings_init(void *area, bool found)
{
	int			i;

	bindings = area;
	for (i = 0; i < MaxConnections && !found; i++)
		pg_atomic_init_u64(&bindings[i], 0);
}

/* Number of the pooler that holds a client backend, or PGPS_NO_POOLER */
int
pgps_pooler_of(int procno, int pid)
{
	uint64		binding = pg_atomic_read_u64(&bindings[procno]);

	return (binding >> 32) == (uint32) pid ?
		(int) (binding & 0xffffffff) : PGPS_NO_POOLER;
}

static int
compare_bound_pids(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* These client backends are the pooler's and no others; sorts them. */
void
pgps_pooler_bind(int number, int *pids, int npids)
{
	int			i;

	if (npids > 0)
		qsort(pids, npids, sizeof(int), compare_bound_pids);
	for (i = 0; i < MaxConnections; i++)
	{
		int			pid = pgps_proc_pid(&ProcGlobal->allProcs[i]);

		if (pid != 0 && npids > 0 &&
			bsearch(&pid, pids, npids, sizeof(int), compare_bound_pids) != NULL)
			pg_atomic_write_u64(&bindings[i],
								(uint64) pid << 32 | number);
		else if ((pg_atomic_read_u64(&bindings[i]) & 0xffffffff) == number)
			pg_atomic_write_u64(&bindings[i], 0);
	}
}
