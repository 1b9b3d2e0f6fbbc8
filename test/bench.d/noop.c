/*
 * What calling any C function with the arguments of report() costs, and the
 * CPU time of a backend.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_noop);
PG_FUNCTION_INFO_V1(bench_cpu);

Datum
bench_noop(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}

/* milliseconds that this process has run */
Datum
bench_cpu(PG_FUNCTION_ARGS)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	PG_RETURN_FLOAT8(t.tv_sec * 1e3 + t.tv_nsec / 1e6);
}
