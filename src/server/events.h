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

extern void pgps_events_install(void);
extern bool pgps_session_has_started(void);

#endif							/* PGPS_EVENTS_H */
