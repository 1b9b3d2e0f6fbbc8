/*-------------------------------------------------------------------------
 *
 * list.c
 *	  All dialects, and our own words.
 *
 * How one is chosen is said in detect.c.  The view dialects shows all of them.
 *
 * A new dialect is data in the file of its family (python.c, java.c, ...) and
 * a line in list.h.  A key more that reports a figure is a row of .keys, and
 * one that does not is a word of .ignored.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dialects/list.h"

/*
 * Our own words: the column names of the views, times in milliseconds.
 */
const PgpsDialect pgps_native = {
	.name = "native",
	.with_library = true,
	.keys = (const PgpsDialectKey[]) {
		{"pool_size", PGPS_POOL_SIZE, PGPS_UNIT_COUNT},
		{"max_overflow", PGPS_MAX_OVERFLOW, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"max_size", PGPS_MAX_SIZE, PGPS_UNIT_COUNT, PGPS_MINUS_UNLIMITED},
		{"min_size", PGPS_MIN_SIZE, PGPS_UNIT_COUNT},
		{"unlimited", PGPS_UNLIMITED, PGPS_UNIT_BOOL},
		{"open", PGPS_OPEN, PGPS_UNIT_COUNT},
		{"checked_out", PGPS_CHECKED_OUT, PGPS_UNIT_COUNT},
		{"checked_in", PGPS_CHECKED_IN, PGPS_UNIT_COUNT},
		{"overflow", PGPS_OVERFLOW, PGPS_UNIT_COUNT},
		{"waiting", PGPS_WAITING, PGPS_UNIT_COUNT},
		{"max_wait", PGPS_MAX_WAIT, PGPS_UNIT_MS},
		{"checkouts", PGPS_CHECKOUTS, PGPS_UNIT_COUNT},
		{"waits", PGPS_WAITS, PGPS_UNIT_COUNT},
		{"total_wait_time", PGPS_TOTAL_WAIT_TIME, PGPS_UNIT_MS},
		{"timeouts", PGPS_TIMEOUTS, PGPS_UNIT_COUNT},
		{"errors", PGPS_ERRORS, PGPS_UNIT_COUNT},
		{"total_use_time", PGPS_TOTAL_USE_TIME, PGPS_UNIT_MS},
		{NULL}
	},
	.consistent = true,
};

#define ADDRESS_OF(name) &pgps_##name,

const PgpsDialect *const pgps_dialects[] = {
	PGPS_DIALECTS(ADDRESS_OF)
	NULL
};

StaticAssertDecl(lengthof(pgps_dialects) <= PGPS_MAX_DIALECTS, "dialects");
