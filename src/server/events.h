/*-------------------------------------------------------------------------
 *
 * events.h
 *	  Where the server tells us what its backends do.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_EVENTS_H
#define PGPS_EVENTS_H

struct PgpsActivity;

extern void pgps_events_install(void);
extern void pgps_place_session(void);
extern void pgps_session_moved(struct PgpsActivity *there);

#endif							/* PGPS_EVENTS_H */
