/*-------------------------------------------------------------------------
 *
 * numbers.h
 *	  Numbers and durations, in whatever form libraries write them.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_NUMBERS_H
#define PGPS_NUMBERS_H

#include "utils/jsonb.h"

extern char *pgps_number_text(const JsonbValue *value);
extern bool pgps_read_number(const char *string, bool *integral,
							 int64 *integer, double *number);
extern bool pgps_read_duration(const JsonbValue *value, const char *given,
							   double *seconds);

#endif							/* PGPS_NUMBERS_H */
