/*-------------------------------------------------------------------------
 *
 * rejection_rows.h
 *	  Rejected connections, a row for each origin and minute.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_REJECTION_ROWS_H
#define PGPS_REJECTION_ROWS_H

#include "datatype/timestamp.h"

#include "server/origin.h"

/* one origin in one minute */
typedef struct PgpsRejection
{
	PgpsOrigin	origin;
	TimestampTz first_rejected;
	TimestampTz last_rejected;
	uint64		count;
} PgpsRejection;

extern Size pgps_rejection_rows_size(void);
extern void pgps_rejection_rows_init(void *area, bool found);
extern bool pgps_note_rejection(const PgpsOrigin *origin, TimestampTz now);
extern int	pgps_rejection_rows_copy(PgpsRejection **copy);
extern void pgps_rejection_rows_reset(void);
extern void pgps_rejection_row_restore(const PgpsRejection *saved);

#endif							/* PGPS_REJECTION_ROWS_H */
