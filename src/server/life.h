/*-------------------------------------------------------------------------
 *
 * life.h
 *	  How this session was made, and how it ends.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_SERVER_LIFE_H
#define PGPS_SERVER_LIFE_H

#include "registry/life.h"

extern void pgps_life_install(void);
extern void pgps_session_joined(void);
extern void pgps_session_ends(PgpsSessionEnd *end);

#endif							/* PGPS_SERVER_LIFE_H */
