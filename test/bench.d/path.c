/*
 * What our path takes in a transaction.  Appended to server/events.c, so that
 * its own functions are called and not a copy of them.
 *
 * A transaction: statement() and at_xact_over(), as the hooks call them.  Left
 * out is the registration of the memory context's callback, which cannot be
 * done twice.
 */
#include <time.h>

#include "fmgr.h"

PGDLLEXPORT Datum bench_path(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(bench_path);

/* bench_path(transactions bigint): nanoseconds of CPU time for each */
Datum
bench_path(PG_FUNCTION_ARGS)
{
	int64		n = PG_GETARG_INT64(0);
	int64		i;
	struct timespec from;
	struct timespec to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (i = 0; i < n; i++)
	{
		at_xact_over(NULL);
		watching = true;
		statement();
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	PG_RETURN_FLOAT8(((to.tv_sec - from.tv_sec) * 1e9 +
					  (to.tv_nsec - from.tv_nsec)) / n);
}
