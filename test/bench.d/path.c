/*
 * What our path takes in a transaction.  Appended to server/transactions.c, so
 * that its own functions are called and not a copy of them; in there, "#define
 * GetCurrentTransactionStopTimestamp bench_clock" stands before all.
 *
 * A transaction: pgps_statement() and at_xact_over(), as the hooks call them.
 * The callback that the statement registers is taken out again.
 */
#include <time.h>

#include "fmgr.h"

#undef GetCurrentTransactionStopTimestamp

PGDLLEXPORT Datum bench_path(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(bench_path);

extern TimestampTz GetCurrentTransactionStopTimestamp(void);

static bool clock_runs;
static TimestampTz stopped_at;

TimestampTz
bench_clock(void)
{
	return likely(!clock_runs) ? stopped_at++ : GetCurrentTransactionStopTimestamp();
}

/*
 * bench_path(what text, times bigint): nanoseconds of CPU time of the path, of
 * the same with a clock that costs nothing, of the clock alone, or of two
 * locked adds alone
 */
Datum
bench_path(PG_FUNCTION_ARGS)
{
	char		what = *VARDATA_ANY(PG_GETARG_TEXT_PP(0));
	int64		n = PG_GETARG_INT64(1);
	int64		i;
	struct timespec from;
	struct timespec to;
	pg_atomic_uint32 alone;

	pg_atomic_init_u32(&alone, 0);
	clock_runs = what != 'w';
	stopped_at = GetCurrentTimestamp();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	switch (what)
	{
		case 'c':				/* clock */
			for (i = 0; i < n; i++)
				(void) bench_clock();
			break;
		case 'l':				/* locked adds */
			for (i = 0; i < n; i++)
			{
				pg_atomic_fetch_add_u32(&alone, 1);
				pg_atomic_fetch_sub_u32(&alone, 1);
			}
			break;
		default:				/* all, without clock */
			for (i = 0; i < n; i++)
			{
				TopTransactionContext->reset_cbs = at_end.next;
				at_xact_over(NULL);
				pgps_statement();
			}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	PG_RETURN_FLOAT8(((to.tv_sec - from.tv_sec) * 1e9 +
					  (to.tv_nsec - from.tv_nsec)) / n);
}
