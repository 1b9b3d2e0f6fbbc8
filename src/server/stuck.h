/*-------------------------------------------------------------------------
 *
 * stuck.h
 *	  Connections whose client has stopped amid a statement.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_STUCK_H
#define PGPS_STUCK_H

#include "datatype/timestamp.h"

#include "registry/backends.h"

extern void pgps_note_stuck(const PgpsBackend *seen, TimestampTz now);

#endif							/* PGPS_STUCK_H */
