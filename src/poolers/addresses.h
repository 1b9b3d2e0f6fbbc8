/*-------------------------------------------------------------------------
 *
 * addresses.h
 *	  The setting pgpool_stats.pooler_addresses: from where only poolers
 *	  connect.
 *
 * Copyright (c) 2026, the pgpool_stats authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef PGPS_ADDRESSES_H
#define PGPS_ADDRESSES_H

#include "utils/guc.h"

extern bool pgps_is_pooler_address(const char *addr);

/* hooks of the setting */
extern bool pgps_check_pooler_addresses(char **newval, void **extra,
										GucSource source);
extern void pgps_assign_pooler_addresses(const char *newval, void *extra);

#endif							/* PGPS_ADDRESSES_H */
