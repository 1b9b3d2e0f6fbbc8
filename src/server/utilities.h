/*-------------------------------------------------------------------------
 *
 * utilities.h
 *	  Kinds of utility statements.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_UTILITIES_H
#define PGPS_UTILITIES_H

#include "nodes/nodes.h"

extern bool pgps_is_long_utility(const Node *stmt);
extern bool pgps_is_setting(const Node *stmt);

#endif							/* PGPS_UTILITIES_H */
